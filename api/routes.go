package api

import (
	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
)

// routes is the route table: route, who may call it, operation id, tag, summary, handler.
func (s *server) routes(r *httpapi.Surface) {
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
}
