package api

import (
	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/casework"
)

// routes is the route table: route, who may call it, operation id, tag, summary, handler.
func (s *server) routes(r *httpapi.Surface) {
	// Logging in, own account.
	httpapi.Handle(r, "POST /auth/login", httpapi.Public, "login-staff", "登录", "用户名密码登录", s.login, httpapi.Limited("login"))
	httpapi.Handle(r, "POST /auth/login-wechat", httpapi.Public, "login-staff-wechat", "登录", "已绑定的微信登录", s.loginWeChat, httpapi.Limited("login"))
	httpapi.Handle(r, "POST /auth/refresh", httpapi.Public, "refresh-staff", "登录", "换取新令牌", s.refresh, httpapi.Limited("login"))
	httpapi.Handle(r, "POST /auth/logout", httpapi.StaffSession, "logout-staff", "登录", "退出登录", s.logout)
	httpapi.Handle(r, "POST /auth/logout-everywhere", httpapi.StaffSession, "logout-staff-everywhere", "登录", "退出所有设备", s.logoutEverywhere)
	httpapi.Handle(r, "GET /auth/self", httpapi.StaffSession, "get-self", "登录", "我的账号与角色", s.getSelf)
	httpapi.Handle(r, "PUT /auth/password", httpapi.StaffSession, "change-password", "登录", "修改密码", s.changePassword, httpapi.Limited("login"))
	httpapi.Handle(r, "PUT /auth/wechat", httpapi.StaffSession, "bind-wechat", "登录", "绑定微信", s.bindWeChat)
	httpapi.Handle(r, "DELETE /auth/wechat", httpapi.StaffSession, "unbind-wechat", "登录", "解绑微信", s.unbindWeChat)
	// Staff, residents' accounts, the audit trail.
	administrator := httpapi.Staff(authz.RoleOperator, authz.RoleOwner)
	httpapi.Handle(r, "GET /staff", httpapi.Staff(authz.RoleOperator, authz.RoleAuditor, authz.RoleOwner), "list-staff", "人员", "工作人员列表", s.listStaff)
	httpapi.Handle(r, "POST /staff", httpapi.Staff(authz.RoleOperator), "create-staff", "人员", "新建工作人员", s.createStaff, httpapi.Status(201))
	httpapi.Handle(r, "POST /staff/{id}/disable", administrator, "disable-staff", "人员", "停用账号", s.disableStaff)
	httpapi.Handle(r, "POST /staff/{id}/enable", administrator, "enable-staff", "人员", "启用账号", s.enableStaff)
	httpapi.Handle(r, "PUT /staff/{id}/password", administrator, "reset-password", "人员", "重置密码", s.resetPassword)
	httpapi.Handle(r, "POST /staff/{id}/grants", httpapi.Staff(authz.RoleOperator), "grant-roles", "人员", "授予角色", s.grantRoles)
	httpapi.Handle(r, "POST /staff/{id}/grants/{grant_id}/revoke", administrator, "revoke-grant", "人员", "收回角色", s.revokeGrant)
	httpapi.Handle(r, "POST /residents/find", httpapi.Staff(authz.RoleOperator), "find-resident", "人员", "按手机号查找居民（留痕）", s.findResident)
	httpapi.Handle(r, "POST /residents/{id}/freeze", httpapi.Staff(authz.RoleOperator), "freeze-resident", "人员", "冻结居民账号", s.freezeResident)
	httpapi.Handle(r, "POST /residents/{id}/unfreeze", httpapi.Staff(authz.RoleOperator), "unfreeze-resident", "人员", "解冻居民账号", s.unfreezeResident)
	httpapi.Handle(r, "GET /audit-log", httpapi.Staff(authz.RoleAuditor, authz.RoleOperator), "list-audit-log", "审计", "操作留痕", s.listAudit)
	// Policies and budgets.
	operator, readers := httpapi.Staff(authz.RoleOperator), httpapi.Staff(authz.RoleOperator, authz.RoleAuditor)
	httpapi.Handle(r, "GET /budgets", readers, "list-budgets", "积分规则", "积分预算列表", s.listBudgets)
	httpapi.Handle(r, "POST /budgets", operator, "create-budget", "积分规则", "新建积分预算", s.createBudget, httpapi.Status(201))
	httpapi.Handle(r, "GET /policy-rules", readers, "list-policy-rules", "积分规则", "积分规则列表（含历史版本）", s.listRules)
	httpapi.Handle(r, "POST /policy-rules", operator, "publish-policy-rule", "积分规则", "发布规则新版本", s.publishRule, httpapi.Status(201))
	httpapi.Handle(r, "POST /policy-rules/{id}/retire", operator, "retire-policy-rule", "积分规则", "停用规则", s.retireRule)
	// Scheduled jobs.
	httpapi.Handle(r, "GET /jobs", httpapi.Staff(authz.RoleOperator, authz.RoleAuditor), "list-jobs", "定时任务", "定时任务列表", s.listJobs)
	httpapi.Handle(r, "GET /jobs/{name}/runs", httpapi.Staff(authz.RoleOperator, authz.RoleAuditor), "list-job-runs", "定时任务", "运行历史", s.listJobRuns)
	httpapi.Handle(r, "POST /jobs/{name}/runs", httpapi.Staff(authz.RoleOperator), "run-job", "定时任务", "立即运行（县级运营，留痕）", s.runJob, httpapi.Status(202))
	// Cases.
	caseHandlers := httpapi.Staff(authz.RoleGridWorker, authz.RoleOperator)
	caseReaders := httpapi.Staff(authz.RoleGridWorker, authz.RoleOperator, authz.RoleAuditor)
	httpapi.HandleUpload(r, "POST /attachments", caseHandlers, "upload-attachment", "事件", "上传办理照片（JPG、PNG，不超过 5 MB）", casework.MaxUploadBytes, s.uploadPicture)
	httpapi.Handle(r, "GET /attachments/{id}", caseReaders, "get-attachment", "事件", "查看图片", s.openPicture)
	httpapi.Handle(r, "POST /attachments/{id}/decide", caseHandlers, "decide-attachment", "事件", "审核图片", s.decidePicture)
	httpapi.Handle(r, "GET /cases", caseReaders, "list-cases", "事件", "事件列表", s.listCases)
	httpapi.Handle(r, "GET /case-counts", caseReaders, "count-cases", "事件", "各状态的事件数", s.countCases)
	httpapi.Handle(r, "GET /cases/{id}", caseReaders, "get-case", "事件", "事件详情、历史与可做的操作", s.getCase)
	httpapi.Handle(r, "POST /cases/{id}/decide-content", caseHandlers, "decide-case-content", "事件", "审核内容", s.decideContent)
	httpapi.Handle(r, "POST /cases/{id}/accept", caseHandlers, "accept-case", "事件", "受理", s.acceptCase)
	httpapi.Handle(r, "POST /cases/{id}/reject", caseHandlers, "reject-case", "事件", "不予受理", s.rejectCase)
	httpapi.Handle(r, "POST /cases/{id}/dispatch", caseHandlers, "dispatch-case", "事件", "分派或改派", s.dispatchCase)
	httpapi.Handle(r, "POST /cases/{id}/start", caseHandlers, "start-case", "事件", "开始办理", s.startCase)
	httpapi.Handle(r, "POST /cases/{id}/finish", caseHandlers, "finish-case", "事件", "办理完成并反馈", s.finishCase)
	httpapi.Handle(r, "POST /cases/{id}/close", caseHandlers, "close-case", "事件", "办结归档；重办的事件由运营说明原因后办结", s.closeCase)
	// Settlement.
	statementReaders := httpapi.Staff(authz.RoleOwner, authz.RoleOperator, authz.RoleAuditor)
	httpapi.Handle(r, "GET /settlement/periods", readers, "list-settlement-periods", "结算", "结算期列表", s.listPeriods)
	httpapi.Handle(r, "GET /settlement/statements", statementReaders, "list-statements", "结算", "结算单列表", s.listStatements)
	httpapi.Handle(r, "GET /settlement/statements/{id}", statementReaders, "get-statement", "结算", "结算单与经过", s.getStatement)
	httpapi.Handle(r, "GET /settlement/statements/{id}/lines", statementReaders, "list-statement-lines", "结算", "结算单明细", s.listStatementLines)
	httpapi.Handle(r, "POST /settlement/statements/{id}/confirm", httpapi.Staff(authz.RoleOwner), "confirm-statement", "结算", "商户确认", s.confirmStatement)
	httpapi.Handle(r, "POST /settlement/statements/{id}/dispute", httpapi.Staff(authz.RoleOwner), "dispute-statement", "结算", "商户提出异议", s.disputeStatement)
	httpapi.Handle(r, "POST /settlement/statements/{id}/resolve", operator, "resolve-statement", "结算", "运营处理异议", s.resolveStatement)
	// Reading: articles.
	editor, articleReaders := httpapi.Staff(authz.RoleOperator), httpapi.Staff(authz.RoleOperator, authz.RoleAuditor)
	httpapi.Handle(r, "GET /articles", articleReaders, "list-articles", "播报", "播报列表", s.listArticles)
	httpapi.Handle(r, "POST /articles", editor, "create-article", "播报", "新建播报（草稿）", s.createArticle, httpapi.Status(201), httpapi.MaxBody(articleMaxBody))
	httpapi.Handle(r, "GET /articles/{id}", articleReaders, "get-article", "播报", "播报详情", s.getArticle)
	httpapi.Handle(r, "PUT /articles/{id}", editor, "update-article", "播报", "修改播报", s.updateArticle, httpapi.MaxBody(articleMaxBody))
	httpapi.Handle(r, "POST /articles/{id}/publish", editor, "publish-article", "播报", "发布播报", s.publishArticle)
	httpapi.Handle(r, "POST /articles/{id}/withdraw", editor, "withdraw-article", "播报", "撤回播报", s.withdrawArticle)
	httpapi.Handle(r, "GET /articles/{id}/history", articleReaders, "list-article-history", "播报", "播报修改记录", s.listArticleHistory)
}
