package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity"
)

// StaffDTO is a member of staff with the roles given.
type StaffDTO struct {
	ID           string          `json:"id"`
	Username     string          `json:"username"`
	Name         string          `json:"name"`
	RegionID     string          `json:"region_id"`
	RegionName   string          `json:"region_name"`
	Status       string          `json:"status" enum:"active,disabled"`
	WeChatBound  bool            `json:"wechat_bound"`
	SecondFactor bool            `json:"second_factor" doc:"已设置两步验证"`
	LockedUntil  *time.Time      `json:"locked_until" doc:"密码连续输错而暂停登录；未暂停为 null"`
	CreatedAt    time.Time       `json:"created_at"`
	Grants       []staffGrantDTO `json:"grants"`
}

type staffGrantDTO struct {
	ID           string    `json:"id"`
	Role         string    `json:"role" enum:"operator,auditor,organizer,grid_worker,merchant_owner,clerk"`
	RegionID     string    `json:"region_id" doc:"区域角色"`
	RegionName   string    `json:"region_name"`
	MerchantID   string    `json:"merchant_id" doc:"商户角色"`
	MerchantName string    `json:"merchant_name"`
	CreatedAt    time.Time `json:"created_at"`
}

func staffOf(s identity.Staff) StaffDTO {
	out := StaffDTO{
		ID: s.ID, Username: s.Username, Name: s.Name, RegionID: s.RegionID, RegionName: s.RegionName, Status: string(s.Status),
		WeChatBound: s.WeChatBound, SecondFactor: s.SecondFactor, LockedUntil: clock.TimePtr(s.LockedUntil), CreatedAt: s.CreatedAt.Time(), Grants: []staffGrantDTO{},
	}
	for _, g := range s.Grants {
		out.Grants = append(out.Grants, staffGrantDTO{
			ID: g.ID, Role: string(g.Role), RegionID: g.RegionID, RegionName: g.RegionName, MerchantID: g.MerchantID, CreatedAt: g.CreatedAt.Time(),
		})
	}
	return out
}

// nameEmployers fills in the names of the merchants that grants are for,
// whatever the number of lists by one query.
func (s *server) nameEmployers(ctx context.Context, lists ...[]staffGrantDTO) error {
	var ids []string
	for _, grants := range lists {
		for _, g := range grants {
			if g.MerchantID != "" {
				ids = append(ids, g.MerchantID)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	known, err := s.Market.MerchantsKnown(ctx, authz.FromContext(ctx), ids)
	if err != nil {
		return err
	}
	names := make(map[string]string, len(known))
	for _, k := range known {
		names[k.ID] = k.Name
	}
	for _, grants := range lists {
		for i := range grants {
			grants[i].MerchantName = names[grants[i].MerchantID]
		}
	}
	return nil
}

type listStaffInput struct {
	httpapi.SortedQuery
	RegionID   string `query:"region_id" maxLength:"26" doc:"此区域及其下级"`
	MerchantID string `query:"merchant_id" maxLength:"26"`
	Role       string `query:"role" enum:"operator,auditor,organizer,grid_worker,merchant_owner,clerk"`
	Status     string `query:"status" enum:"active,disabled"`
	Name       string `query:"name" maxLength:"32" doc:"姓名或用户名的开头"`
}

func (s *server) listStaff(ctx context.Context, in *listStaffInput) (*httpapi.Body[httpapi.PageBody[StaffDTO]], error) {
	page, err := httpapi.Listed(staffOf)(s.Identity.ListStaff(ctx, authz.FromContext(ctx), identity.StaffFilter{
		RegionID: in.RegionID, MerchantID: in.MerchantID, Role: authz.Role(in.Role), Status: identity.StaffStatus(in.Status), Name: in.Name,
	}, in.Request()))
	if err != nil {
		return nil, err
	}
	lists := make([][]staffGrantDTO, len(page.Body.Items))
	for i, d := range page.Body.Items {
		lists[i] = d.Grants
	}
	return page, s.nameEmployers(ctx, lists...)
}

func (s *server) getStaff(ctx context.Context, in *idInput) (*httpapi.Body[StaffDTO], error) {
	staff, err := s.Identity.StaffMember(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := staffOf(staff)
	return httpapi.OK(out), s.nameEmployers(ctx, out.Grants)
}

// regionGrant is a role over a region. Merchant roles are given where the
// merchant is known, under /merchants.
type regionGrant struct {
	Role     string `json:"role" enum:"operator,auditor,organizer,grid_worker"`
	RegionID string `json:"region_id" minLength:"26" maxLength:"26"`
}

func grantsOf(in []regionGrant) []identity.NewGrant {
	out := make([]identity.NewGrant, len(in))
	for i, g := range in {
		out[i] = identity.NewGrant{Role: authz.Role(g.Role), RegionID: g.RegionID}
	}
	return out
}

type createStaffInput struct {
	Body struct {
		Username string        `json:"username" minLength:"3" maxLength:"32"`
		Password string        `json:"password" minLength:"10" maxLength:"128"`
		Name     string        `json:"name" minLength:"1" maxLength:"30"`
		Grants   []regionGrant `json:"grants" minItems:"1" maxItems:"50"`
	}
}

type createdDTO struct {
	ID string `json:"id"`
}

func (s *server) createStaff(ctx context.Context, in *createStaffInput) (*httpapi.Body[createdDTO], error) {
	ids, err := s.Identity.CreateStaff(ctx, authz.FromContext(ctx), []identity.NewStaff{{
		Username: in.Body.Username, Password: in.Body.Password, Name: in.Body.Name, Grants: grantsOf(in.Body.Grants),
	}})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(createdDTO{ID: ids[0]}), nil
}

type createMerchantStaffInput struct {
	MarketPath
	Body struct {
		Username string `json:"username" minLength:"3" maxLength:"32"`
		Password string `json:"password" minLength:"10" maxLength:"128"`
		Name     string `json:"name" minLength:"1" maxLength:"30"`
		Role     string `json:"role" enum:"merchant_owner,clerk" doc:"店主由运营开通，店员由店主或运营开通"`
	}
}

func (s *server) createMerchantStaff(ctx context.Context, in *createMerchantStaffInput) (*httpapi.Body[createdDTO], error) {
	actor := authz.FromContext(ctx)
	m, err := s.Market.Merchant(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	ids, err := s.Identity.CreateStaff(ctx, actor, []identity.NewStaff{{
		Username: in.Body.Username, Password: in.Body.Password, Name: in.Body.Name,
		Grants: []identity.NewGrant{{Role: authz.Role(in.Body.Role), MerchantID: m.ID, MerchantRegionID: m.RegionID}},
	}})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(createdDTO{ID: ids[0]}), nil
}

// reasonBody is why somebody changes another person's account; the audit
// trail keeps it.
type reasonBody struct {
	Reason string `json:"reason" minLength:"2" maxLength:"200"`
}

type reasonInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body reasonBody
}

func (s *server) disableStaff(ctx context.Context, in *reasonInput) (*struct{}, error) {
	return nil, s.Identity.DisableStaff(ctx, authz.FromContext(ctx), in.ID, in.Body.Reason)
}

func (s *server) enableStaff(ctx context.Context, in *reasonInput) (*struct{}, error) {
	return nil, s.Identity.EnableStaff(ctx, authz.FromContext(ctx), in.ID, in.Body.Reason)
}

type resetPasswordInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		NewPassword string `json:"new_password" minLength:"10" maxLength:"128"`
		Reason      string `json:"reason" minLength:"2" maxLength:"200"`
	}
}

func (s *server) resetPassword(ctx context.Context, in *resetPasswordInput) (*struct{}, error) {
	return nil, s.Identity.ResetPassword(ctx, authz.FromContext(ctx), in.ID, in.Body.NewPassword, in.Body.Reason)
}

type grantInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Grants []regionGrant `json:"grants" minItems:"1" maxItems:"50"`
		Reason string        `json:"reason" minLength:"2" maxLength:"200"`
	}
}

func (s *server) grantRoles(ctx context.Context, in *grantInput) (*struct{}, error) {
	return nil, s.Identity.Grant(ctx, authz.FromContext(ctx), in.ID, grantsOf(in.Body.Grants), in.Body.Reason)
}

type revokeGrantInput struct {
	ID      string `path:"id" minLength:"26" maxLength:"26"`
	GrantID string `path:"grant_id" minLength:"26" maxLength:"26"`
	Body    reasonBody
}

func (s *server) revokeGrant(ctx context.Context, in *revokeGrantInput) (*struct{}, error) {
	return nil, s.Identity.RevokeGrant(ctx, authz.FromContext(ctx), in.ID, in.GrantID, in.Body.Reason)
}

type residentDTO struct {
	ID              string `json:"id"`
	MaskedName      string `json:"masked_name" example:"王**"`
	VolunteerNumber string `json:"volunteer_number"`
	HomeRegionID    string `json:"home_region_id"`
	Status          string `json:"status" enum:"active,frozen,deleted"`
}

type findResidentInput struct {
	// In the body, not in the address, which ends up in logs.
	Body struct {
		Phone  string `json:"phone" minLength:"8" maxLength:"16"`
		Reason string `json:"reason" minLength:"2" maxLength:"200" doc:"查询会留下记录，本人可见"`
	}
}

func (s *server) findResident(ctx context.Context, in *findResidentInput) (*httpapi.Body[residentDTO], error) {
	r, err := s.Identity.FindResidentByPhone(ctx, authz.FromContext(ctx), in.Body.Phone, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(residentDTO{
		ID: r.ID, MaskedName: r.MaskedName, VolunteerNumber: r.VolunteerNumber, HomeRegionID: r.HomeRegionID, Status: string(r.Status),
	}), nil
}

func (s *server) freezeResident(ctx context.Context, in *reasonInput) (*struct{}, error) {
	return nil, s.Identity.FreezeResident(ctx, authz.FromContext(ctx), in.ID, in.Body.Reason)
}

func (s *server) unfreezeResident(ctx context.Context, in *reasonInput) (*struct{}, error) {
	return nil, s.Identity.UnfreezeResident(ctx, authz.FromContext(ctx), in.ID, in.Body.Reason)
}
