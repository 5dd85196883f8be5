package identity

import "jiamenkou/model"

// ConsentVersion is of the texts below. Whoever changes one raises it: a
// decision is recorded with the version that was shown.
const ConsentVersion = "2026-11"

// Purpose is one purpose of consent as it is put to a resident, who must be
// able to tell what is collected, why, and what a no means (PIPL art. 17).
type Purpose struct {
	Purpose  ConsentPurpose
	Version  string
	Title    string
	Collects string
	Why      string
	Refusing string // what still works without it
	Required bool   // nothing works without it
}

// Purposes returns the purposes in the order in which they are asked, each by
// itself.
func Purposes() []Purpose {
	return []Purpose{
		{
			Purpose: model.ConsentPrivacyPolicy, Version: ConsentVersion, Required: true,
			Title:    "使用家门口",
			Collects: "微信账号的编号、您填的昵称、居住的村社；绑定手机号或登记真实姓名时，还有手机号、姓名（加密保存）。以及您的积分、兑换、志愿服务、阅读和上报记录。",
			Why:      "用来认出您、记积分、兑换福利、开具志愿服务证明，并把上报的事交给本地工作人员办理。",
			Refusing: "不同意就不能登录使用。随时可以导出信息或注销账号。",
		},
		{
			Purpose: model.ConsentLocation, Version: ConsentVersion,
			Title:    "使用位置",
			Collects: "您点“定位”、活动签到签退、上报时手机给出的位置。不在后台跟踪。",
			Why:      "用来找到您所在的村社、核对是否到了活动现场、告诉工作人员问题在哪里。坐标最多保存 30 天，之后只留结果。",
			Refusing: "不同意也能用：村社可以自己选，上报可以手选地点；只有活动签到要核对位置。",
		},
		{
			Purpose: model.ConsentNotifications, Version: ConsentVersion,
			Title:    "接收微信通知",
			Collects: "您允许哪几类通知、各还剩几次。",
			Why:      "上报有进展、活动有变动、积分快到期时，用微信告诉您。不发广告。",
			Refusing: "不同意也能用：消息都在“我的消息”里。",
		},
		{
			Purpose: model.ConsentLeaderboard, Version: ConsentVersion,
			Title:    "在榜单上显示我",
			Collects: "您在本村社、本镇街、全县的周积分和月积分。姓名只显示姓。",
			Why:      "让邻里看到彼此的付出。只和积分有关，与看了多久无关。",
			Refusing: "不同意也能用：别人看不到您，您仍能看到自己的积分。",
		},
	}
}
