package miniprogram

import (
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/casework"
)

// routes is the route table: route, who may call it, operation id, tag, summary, handler.
func (s *server) routes(r *httpapi.Surface) { //nolint:funlen // a table
	// What a client must know first, and logging in.
	httpapi.Handle(r, "GET /client-config", httpapi.Public, "get-client-config", "登录", "客户端设置与同意项文本（可缓存）", s.getClientConfig)
	httpapi.Handle(r, "POST /auth/login", httpapi.Public, "login-resident", "登录", "微信登录", s.login, httpapi.Limited("login"))
	httpapi.Handle(r, "POST /auth/refresh", httpapi.Public, "refresh-resident", "登录", "换取新令牌", s.refresh, httpapi.Limited("login"))
	httpapi.Handle(r, "POST /auth/logout", httpapi.Resident, "logout-resident", "登录", "退出登录", s.logout)
	httpapi.Handle(r, "POST /auth/logout-everywhere", httpapi.Resident, "logout-resident-everywhere", "登录", "退出所有设备", s.logoutEverywhere)
	// Own profile and consents.
	httpapi.Handle(r, "GET /profile", httpapi.Resident, "get-profile", "我的", "我的资料", s.getProfile)
	httpapi.Handle(r, "PATCH /profile", httpapi.Resident, "update-profile", "我的", "修改昵称", s.updateProfile)
	httpapi.Handle(r, "DELETE /profile", httpapi.Resident, "delete-profile", "我的", "注销账号", s.deleteProfile)
	httpapi.Handle(r, "GET /profile/export", httpapi.Resident, "export-profile", "我的", "我们保存了您的哪些信息", s.exportProfile, httpapi.Limited("takeout"))
	httpapi.Handle(r, "GET /profile/export/file", httpapi.Resident, "export-profile-file", "我的", "下载全部信息（JSON）", s.exportProfileFile, httpapi.Limited("takeout"))
	httpapi.Handle(r, "PUT /profile/phone", httpapi.Resident, "bind-phone", "我的", "绑定手机号", s.bindPhone)
	httpapi.Handle(r, "PUT /profile/home-region", httpapi.Resident, "set-home-region", "我的", "选择居住的村社或网格", s.setHomeRegion)
	httpapi.Handle(r, "PUT /profile/real-name", httpapi.Resident, "set-real-name", "我的", "登记真实姓名", s.setRealName)
	httpapi.Handle(r, "GET /consents", httpapi.Resident, "list-consents", "我的", "我的同意项", s.listConsents)
	httpapi.Handle(r, "PUT /consents/{purpose}", httpapi.Resident, "grant-consent", "我的", "同意", s.grantConsent)
	httpapi.Handle(r, "DELETE /consents/{purpose}", httpapi.Resident, "withdraw-consent", "我的", "撤回同意", s.withdrawConsent)
	// Regions.
	httpapi.Handle(r, "GET /regions", httpapi.Resident, "list-counties", "地区", "县市区列表", s.listCounties)
	httpapi.Handle(r, "GET /regions/search", httpapi.Resident, "search-regions", "地区", "按名称查找", s.searchRegions)
	httpapi.Handle(r, "POST /regions/locate", httpapi.Resident, "locate-region", "地区", "当前位置所在的村社或网格（位置不保存）", s.locateRegion)
	httpapi.Handle(r, "GET /regions/{id}", httpapi.Resident, "get-region", "地区", "地区", s.getRegion)
	httpapi.Handle(r, "GET /regions/{id}/children", httpapi.Resident, "list-region-children", "地区", "下一级", s.listRegionChildren)
	// Wallet.
	httpapi.Handle(r, "GET /wallet", httpapi.Resident, "get-wallet", "积分账户", "我的积分", s.getWallet)
	httpapi.Handle(r, "GET /wallet/entries", httpapi.Resident, "list-wallet-entries", "积分账户", "积分明细", s.listWalletEntries)
	httpapi.Handle(r, "GET /wallet/entries/{id}", httpapi.Resident, "get-wallet-entry", "积分账户", "为什么是这个数", s.getWalletEntry)
	httpapi.Handle(r, "GET /wallet/months", httpapi.Resident, "list-wallet-months", "积分账户", "按月汇总", s.listWalletMonths)
	httpapi.Handle(r, "POST /wallet/entries/{id}/objections", httpapi.Resident, "object-to-entry", "积分账户", "对一笔明细提出异议（重复提交返回第一次的结果）", s.objectToEntry, httpapi.Status(201))
	httpapi.Handle(r, "GET /wallet/objections", httpapi.Resident, "list-my-objections", "积分账户", "我的异议", s.listMyObjections)
	httpapi.Handle(r, "POST /wallet/objections/{id}/close", httpapi.Resident, "close-my-objection", "积分账户", "结束异议：已解决，或不再提出", s.closeMyObjection)
	httpapi.Handle(r, "GET /earnings/today", httpapi.Resident, "list-earnings-today", "积分账户", "今天能赚多少、已赚多少", s.listEarnings)
	// Seals: proofs that nothing was changed.
	httpapi.Handle(r, "GET /wallet/proof", httpapi.Resident, "get-wallet-proof", "封存", "我的账户在最近一次封存之内的证明", s.getWalletProof)
	httpapi.Handle(r, "GET /seals", httpapi.Public, "list-seals", "封存", "每日封存的根散列，新的在前", s.listSeals)
	// Reports.
	httpapi.HandleUpload(r, "POST /attachments", httpapi.Resident, "upload-attachment", "上报", "上传图片（JPG、PNG，不超过 5 MB）", casework.MaxUploadBytes, s.uploadPicture)
	httpapi.Handle(r, "GET /attachments/{key}", httpapi.Public, "get-attachment", "上报", "凭签名链接查看图片", s.openPictureLink)
	httpapi.Handle(r, "GET /my-attachments/{id}", httpapi.Resident, "get-my-attachment", "上报", "查看自己能看的图片", s.openPicture)
	httpapi.Handle(r, "POST /cases", httpapi.Resident, "report-case", "上报", "上报事件", s.reportCase, httpapi.Status(201))
	httpapi.Handle(r, "GET /cases", httpapi.Resident, "list-my-cases", "上报", "我的上报", s.listCases)
	httpapi.Handle(r, "GET /cases/nearby", httpapi.Resident, "list-nearby-cases", "上报", "附近两周内正在办理的上报，避免重复（位置不保存）", s.listNearbyCases)
	httpapi.Handle(r, "GET /cases/{id}", httpapi.Resident, "get-my-case", "上报", "上报详情与进度", s.getCase)
	httpapi.Handle(r, "POST /cases/{id}/confirm", httpapi.Resident, "confirm-case", "上报", "确认办理结果或退回重办", s.confirmCase)
	httpapi.Handle(r, "POST /cases/{id}/withdraw", httpapi.Resident, "withdraw-case", "上报", "撤回上报", s.withdrawCase)
	// Reading: articles and daily sign-in.
	httpapi.Handle(r, "GET /articles", httpapi.Resident, "list-articles", "播报", "本地播报，新的在前", s.listArticles)
	httpapi.Handle(r, "GET /articles/{id}", httpapi.Resident, "get-article", "播报", "播报正文", s.getArticle)
	httpapi.Handle(r, "POST /articles/{id}/reading-sessions", httpapi.Resident, "start-reading", "播报", "开始阅读（未读完的接着读）", s.startReading)
	httpapi.Handle(r, "POST /reading-sessions/{id}/beats", httpapi.Resident, "beat-reading", "播报", "阅读中", s.beatReading)
	httpapi.Handle(r, "POST /reading-sessions/{id}/complete", httpapi.Resident, "complete-reading", "播报", "读完（重复提交返回第一次的结果）", s.completeReading)
	httpapi.Handle(r, "POST /articles/{id}/quiz-attempts", httpapi.Resident, "answer-quiz", "播报", "回答文末小问题（每天三次机会；同一个 Idempotency-Key 不会多算）", s.answerQuiz)
	httpapi.Handle(r, "GET /media/{key}", httpapi.Public, "get-media", "播报", "封面图片与朗读录音（支持分段）", s.getMedia)
	httpapi.Handle(r, "GET /scenes/{scene}", httpapi.Public, "resolve-scene", "登录", "小程序码里的 scene 指向什么", s.resolveScene)
	httpapi.Handle(r, "GET /sign-ins/today", httpapi.Resident, "get-sign-in", "签到", "今天的签到", s.getSignIn)
	httpapi.Handle(r, "POST /sign-ins", httpapi.Resident, "sign-in", "签到", "自愿签到（每天一次，重复返回第一次的结果）", s.signIn)
	// Leaderboards.
	httpapi.Handle(r, "GET /leaderboard", httpapi.Resident, "get-leaderboard", "榜单", "周榜与月榜（只显示同意上榜的居民，姓名隐去）", s.getLeaderboard)
	httpapi.Handle(r, "GET /leaderboard/me", httpapi.Resident, "get-my-rank", "榜单", "我的积分与名次", s.getMyRank)
	// Market: benefits, orders, redemption codes.
	httpapi.Handle(r, "GET /benefits", httpapi.Resident, "list-benefits", "福利", "身边的福利", s.listBenefits)
	httpapi.Handle(r, "GET /benefits/categories", httpapi.Resident, "list-benefit-categories", "福利", "福利类别与数量", s.listBenefitCategories)
	httpapi.Handle(r, "GET /releases/next", httpapi.Resident, "list-next-releases", "福利", "接下来的放量", s.listNextReleases)
	httpapi.Handle(r, "GET /benefits/{id}", httpapi.Resident, "get-benefit", "福利", "福利详情、门店与余量", s.getBenefit)
	httpapi.Handle(r, "POST /orders", httpapi.Resident, "place-order", "兑换", "兑换（积分与库存一起冻结；重复提交返回第一次的结果）", s.placeOrder, httpapi.Status(201))
	httpapi.Handle(r, "GET /orders", httpapi.Resident, "list-orders", "兑换", "我的兑换单", s.listOrders)
	httpapi.Handle(r, "GET /orders/{id}", httpapi.Resident, "get-order", "兑换", "兑换单详情", s.getOrder)
	httpapi.Handle(r, "GET /orders/{id}/code", httpapi.Resident, "get-order-code", "兑换", "核销码（每 30 秒更换）", s.getOrderCode)
	httpapi.Handle(r, "POST /orders/{id}/cancel", httpapi.Resident, "cancel-order", "兑换", "取消兑换，退回积分", s.cancelOrder)
	// Volunteering: activities, sign-ups, attendance, service records.
	httpapi.Handle(r, "GET /activities", httpapi.Resident, "list-activities", "志愿活动", "本县活动，近期的在前；给了位置则近处的在前", s.listActivities)
	httpapi.Handle(r, "GET /activities/{id}", httpapi.Resident, "get-activity", "志愿活动", "活动、班次与我的报名", s.getActivity)
	httpapi.Handle(r, "POST /shifts/{id}/signup", httpapi.Resident, "sign-up", "志愿活动", "报名（重复提交返回第一次的报名）", s.signUp)
	httpapi.Handle(r, "DELETE /shifts/{id}/signup", httpapi.Resident, "cancel-signup", "志愿活动", "取消报名", s.cancelSignup)
	httpapi.Handle(r, "POST /shifts/{id}/check-in", httpapi.Resident, "check-in", "志愿活动", "扫码签到", s.checkIn)
	httpapi.Handle(r, "POST /shifts/{id}/check-out", httpapi.Resident, "check-out", "志愿活动", "扫码签退", s.checkOut)
	httpapi.Handle(r, "GET /my-shifts", httpapi.Resident, "list-my-shifts", "志愿活动", "我的班次", s.listMyShifts)
	httpapi.Handle(r, "GET /service-records", httpapi.Resident, "list-my-service-records", "志愿活动", "我的服务记录", s.listMyRecords)
	httpapi.Handle(r, "GET /service-records/total", httpapi.Resident, "get-service-total", "志愿活动", "我的服务时长", s.getServiceTotal)
	// Messages and subscriptions.
	httpapi.Handle(r, "GET /messages", httpapi.Resident, "list-messages", "消息", "我的消息，新的在前", s.listMessages)
	httpapi.Handle(r, "GET /messages/unread-count", httpapi.Resident, "count-unread-messages", "消息", "未读消息数", s.countUnread)
	httpapi.Handle(r, "POST /messages/{id}/read", httpapi.Resident, "read-message", "消息", "标为已读（可重复提交）", s.readMessage)
	httpapi.Handle(r, "POST /messages/read-all", httpapi.Resident, "read-all-messages", "消息", "全部标为已读", s.readAllMessages)
	httpapi.Handle(r, "GET /subscriptions/templates", httpapi.Resident, "list-subscriptions", "消息", "可订阅的微信通知与剩余次数", s.listSubscriptions)
	httpapi.Handle(r, "POST /subscriptions", httpapi.Resident, "subscribe", "消息", "上报微信订阅弹窗中同意的模板（同意一次，可收一条）", s.subscribe)
}
