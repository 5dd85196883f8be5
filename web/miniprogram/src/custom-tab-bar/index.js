// WeChat requires this component when tabBar.custom is set. The bar that shows is components/TabBar.vue, which follows large text and dark mode.
Component({})
