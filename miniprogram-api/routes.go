package miniprogram

import (
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/casework"
)

// routes is the route table: route, who may call it, operation id, tag, summary, handler.
func (s *server) routes(r *httpapi.Surface) {
	// Logging in.
	httpapi.Handle(r, "POST /auth/login", httpapi.Public, "login-resident", "登录", "微信登录", s.login, httpapi.Limited("login"))
	httpapi.Handle(r, "POST /auth/refresh", httpapi.Public, "refresh-resident", "登录", "换取新令牌", s.refresh, httpapi.Limited("login"))
	httpapi.Handle(r, "POST /auth/logout", httpapi.Resident, "logout-resident", "登录", "退出登录", s.logout)
	httpapi.Handle(r, "POST /auth/logout-everywhere", httpapi.Resident, "logout-resident-everywhere", "登录", "退出所有设备", s.logoutEverywhere)
	// Own profile and consents.
	httpapi.Handle(r, "GET /profile", httpapi.Resident, "get-profile", "我的", "我的资料", s.getProfile)
	httpapi.Handle(r, "PATCH /profile", httpapi.Resident, "update-profile", "我的", "修改昵称", s.updateProfile)
	httpapi.Handle(r, "DELETE /profile", httpapi.Resident, "delete-profile", "我的", "注销账号", s.deleteProfile)
	httpapi.Handle(r, "GET /profile/export", httpapi.Resident, "export-profile", "我的", "导出我的个人信息", s.exportProfile)
	httpapi.Handle(r, "PUT /profile/phone", httpapi.Resident, "bind-phone", "我的", "绑定手机号", s.bindPhone)
	httpapi.Handle(r, "PUT /profile/home-region", httpapi.Resident, "set-home-region", "我的", "选择居住的村社或网格", s.setHomeRegion)
	httpapi.Handle(r, "PUT /profile/real-name", httpapi.Resident, "set-real-name", "我的", "登记真实姓名", s.setRealName)
	httpapi.Handle(r, "GET /consents", httpapi.Resident, "list-consents", "我的", "我的同意项", s.listConsents)
	httpapi.Handle(r, "PUT /consents/{purpose}", httpapi.Resident, "grant-consent", "我的", "同意", s.grantConsent)
	httpapi.Handle(r, "DELETE /consents/{purpose}", httpapi.Resident, "withdraw-consent", "我的", "撤回同意", s.withdrawConsent)
	// Wallet.
	httpapi.Handle(r, "GET /wallet", httpapi.Resident, "get-wallet", "积分账户", "我的积分", s.getWallet)
	httpapi.Handle(r, "GET /wallet/entries", httpapi.Resident, "list-wallet-entries", "积分账户", "积分明细", s.listWalletEntries)
	httpapi.Handle(r, "GET /wallet/entries/{id}", httpapi.Resident, "get-wallet-entry", "积分账户", "为什么是这个数", s.getWalletEntry)
	httpapi.Handle(r, "GET /earnings/today", httpapi.Resident, "list-earnings-today", "积分账户", "今天能赚多少、已赚多少", s.listEarnings)
	// Reports.
	httpapi.HandleUpload(r, "POST /attachments", httpapi.Resident, "upload-attachment", "上报", "上传图片（JPG、PNG，不超过 5 MB）", casework.MaxUploadBytes, s.uploadPicture)
	httpapi.Handle(r, "GET /attachments/{key}", httpapi.Public, "get-attachment", "上报", "凭签名链接查看图片", s.openPictureLink)
	httpapi.Handle(r, "GET /my-attachments/{id}", httpapi.Resident, "get-my-attachment", "上报", "查看自己能看的图片", s.openPicture)
	httpapi.Handle(r, "POST /cases", httpapi.Resident, "report-case", "上报", "上报事件", s.reportCase, httpapi.Status(201))
	httpapi.Handle(r, "GET /cases", httpapi.Resident, "list-my-cases", "上报", "我的上报", s.listCases)
	httpapi.Handle(r, "GET /cases/{id}", httpapi.Resident, "get-my-case", "上报", "上报详情与进度", s.getCase)
	httpapi.Handle(r, "POST /cases/{id}/confirm", httpapi.Resident, "confirm-case", "上报", "确认办理结果或退回重办", s.confirmCase)
	httpapi.Handle(r, "POST /cases/{id}/withdraw", httpapi.Resident, "withdraw-case", "上报", "撤回上报", s.withdrawCase)
	// Reading: articles and daily sign-in.
	httpapi.Handle(r, "GET /articles", httpapi.Resident, "list-articles", "播报", "本地播报，新的在前", s.listArticles)
	httpapi.Handle(r, "GET /articles/{id}", httpapi.Resident, "get-article", "播报", "播报正文", s.getArticle)
	httpapi.Handle(r, "POST /articles/{id}/reading-sessions", httpapi.Resident, "start-reading", "播报", "开始阅读（未读完的接着读）", s.startReading)
	httpapi.Handle(r, "POST /reading-sessions/{id}/beats", httpapi.Resident, "beat-reading", "播报", "阅读中", s.beatReading)
	httpapi.Handle(r, "POST /reading-sessions/{id}/complete", httpapi.Resident, "complete-reading", "播报", "读完（重复提交返回第一次的结果）", s.completeReading)
	httpapi.Handle(r, "GET /sign-ins/today", httpapi.Resident, "get-sign-in", "签到", "今天的签到", s.getSignIn)
	httpapi.Handle(r, "POST /sign-ins", httpapi.Resident, "sign-in", "签到", "自愿签到（每天一次，重复返回第一次的结果）", s.signIn)
}
