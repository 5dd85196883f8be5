package api

import (
	"context"
	"encoding/json"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity"
	"jiamenkou/service/lookup"
)

type auditRecordDTO struct {
	ID         string          `json:"id"`
	ActorKind  string          `json:"actor_kind" enum:"staff,system,resident"`
	ActorID    string          `json:"actor_id"`
	ActorName  string          `json:"actor_name"`
	Action     string          `json:"action" example:"staff.disable"`
	ObjectType string          `json:"object_type" example:"staff"`
	ObjectID   string          `json:"object_id"`
	ObjectName string          `json:"object_name" doc:"对象现在的名称；没有名称、已不存在或您无权查看时为空"`
	Within     string          `json:"object_within" doc:"门店所属的商户、班次所属的活动；其他为空"`
	RegionID   string          `json:"region_id"`
	RegionName string          `json:"region_name"`
	Reason     string          `json:"reason"`
	Detail     json.RawMessage `json:"detail" doc:"不含个人信息"`
	CreatedAt  time.Time       `json:"created_at"`
}

func auditRecordOf(r lookup.AuditRecord) auditRecordDTO {
	return auditRecordDTO{
		ID: r.ID, ActorKind: string(r.ActorKind), ActorID: r.ActorID, ActorName: r.ActorName, Action: r.Action,
		ObjectType: r.ObjectType, ObjectID: r.ObjectID, ObjectName: r.ObjectName, Within: r.ObjectWithin, RegionID: r.RegionID, RegionName: r.RegionName, Reason: r.Reason,
		Detail: json.RawMessage(r.Detail), CreatedAt: r.CreatedAt.Time(),
	}
}

type listAuditInput struct {
	httpapi.SortedQuery
	PeriodQuery
	RegionID   string `query:"region_id" maxLength:"26" doc:"此区域及其下级"`
	ActorID    string `query:"actor_id" maxLength:"64"`
	Actor      string `query:"actor" maxLength:"32" doc:"操作人的姓名或登录名，须完整"`
	Action     string `query:"action" maxLength:"64"`
	ObjectType string `query:"object_type" maxLength:"32"`
	ObjectID   string `query:"object_id" maxLength:"64"`
}

func (s *server) listAudit(ctx context.Context, in *listAuditInput) (*httpapi.Body[httpapi.PageBody[auditRecordDTO]], error) {
	from, to := in.bounds()
	return httpapi.Listed(auditRecordOf)(s.Lookup.AuditLog(ctx, authz.FromContext(ctx), identity.AuditFilter{
		ActorID: in.ActorID, ActorName: in.Actor, Action: in.Action, ObjectType: in.ObjectType, ObjectID: in.ObjectID, RegionID: in.RegionID, From: from, To: to,
	}, in.Request()))
}
