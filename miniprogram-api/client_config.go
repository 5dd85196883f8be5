package miniprogram

import (
	"context"
	"time"

	"jiamenkou/service/casework"
	"jiamenkou/service/identity"
)

// ClientSettings are the settings that a client is told. Whatever stands here
// anybody on the internet can read.
type ClientSettings struct {
	Mode                 string // demo or production
	DemoResidents        []DemoResident
	DemoStaff            []DemoStaff
	DailySignIn          bool
	ResidentLeaderboards bool
	CodeStep             time.Duration // of redemption codes
	AttendanceCodeStep   time.Duration // of the organizer's code
	ReadingBeat          time.Duration
	MaxUploadBytes       int64
	DailyReports         int64
	ExpiryNoticeDays     int
}

// DemoResident is a resident to log in as, in demo mode.
type DemoResident struct {
	Name string `json:"name" example:"王秀英"`
	Code string `json:"code" example:"demo-wang" doc:"登录时在后面加“-”和没用过的字母数字，作为 code"`
}

// DemoStaff is a staff member to log in as, in demo mode.
type DemoStaff struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Role     string `json:"role" enum:"operator,auditor,organizer,grid_worker,merchant_owner,clerk"`
}

type consentTextDTO struct {
	Purpose  string `json:"purpose" enum:"privacy_policy,location,notifications,leaderboard"`
	Version  string `json:"version" doc:"同意时原样交回"`
	Title    string `json:"title"`
	Collects string `json:"collects" doc:"收集什么"`
	Why      string `json:"why" doc:"为什么"`
	Refusing string `json:"refusing" doc:"不同意会怎样"`
	Required bool   `json:"required" doc:"不同意就不能使用"`
}

type subscribeTemplateDTO struct {
	Topic      string `json:"topic" example:"casework.moved"`
	TemplateID string `json:"template_id"`
	Title      string `json:"title" example:"上报事件进度"`
}

type clientConfigDTO struct {
	Mode                      string                 `json:"mode" enum:"demo,production"`
	DemoResidents             []DemoResident         `json:"demo_residents" doc:"仅演示模式；正式运行为空"`
	DemoStaff                 []DemoStaff            `json:"demo_staff" doc:"仅演示模式；正式运行为空"`
	DailySignIn               bool                   `json:"daily_sign_in" doc:"本县是否开放签到"`
	ResidentLeaderboards      bool                   `json:"resident_leaderboards" doc:"本县是否开放居民榜单"`
	SubscribeTemplates        []subscribeTemplateDTO `json:"subscribe_templates" doc:"可订阅的微信通知；空表示只有站内消息"`
	CodeStepSeconds           int64                  `json:"code_step_seconds" doc:"核销码多久更换"`
	AttendanceCodeStepSeconds int64                  `json:"attendance_code_step_seconds" doc:"组织者的签到码多久更换"`
	ReadingBeatSeconds        int64                  `json:"reading_beat_seconds" doc:"阅读中多久上报一次"`
	MaxUploadBytes            int64                  `json:"max_upload_bytes" doc:"一张图片最大字节数"`
	MaxAttachments            int                    `json:"max_attachments" doc:"一次上报最多几张图片"`
	DailyReports              int64                  `json:"daily_reports" doc:"每天最多上报几次"`
	ExpiryNoticeDays          int                    `json:"expiry_notice_days" doc:"积分到期前几天提醒"`
	Consents                  []consentTextDTO       `json:"consents" doc:"逐项征求同意的文本，不得预先勾选"`
}

// clientConfigAge is how long a client or a balancer may keep the answer: a
// changed setting or text reaches everybody within it.
const clientConfigAge = "public, max-age=300"

type clientConfigOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         clientConfigDTO
}

func (s *server) getClientConfig(_ context.Context, _ *struct{}) (*clientConfigOutput, error) {
	c := s.Client
	out := clientConfigDTO{
		Mode: c.Mode, DemoResidents: append([]DemoResident{}, c.DemoResidents...), DemoStaff: append([]DemoStaff{}, c.DemoStaff...),
		DailySignIn: c.DailySignIn, ResidentLeaderboards: c.ResidentLeaderboards,
		SubscribeTemplates: []subscribeTemplateDTO{}, Consents: []consentTextDTO{},
		CodeStepSeconds: seconds(c.CodeStep), AttendanceCodeStepSeconds: seconds(c.AttendanceCodeStep), ReadingBeatSeconds: seconds(c.ReadingBeat),
		MaxUploadBytes: c.MaxUploadBytes, MaxAttachments: casework.MaxPictures, DailyReports: c.DailyReports, ExpiryNoticeDays: c.ExpiryNoticeDays,
	}
	for _, t := range s.Notify.Templates() {
		out.SubscribeTemplates = append(out.SubscribeTemplates, subscribeTemplateDTO{Topic: t.Topic, TemplateID: t.TemplateID, Title: t.Label})
	}
	for _, p := range identity.Purposes() {
		out.Consents = append(out.Consents, consentTextDTO{
			Purpose: string(p.Purpose), Version: p.Version, Title: p.Title, Collects: p.Collects, Why: p.Why, Refusing: p.Refusing, Required: p.Required,
		})
	}
	return &clientConfigOutput{CacheControl: clientConfigAge, Body: out}, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
