package app

import (
	"jiamenkou/internal/config"
	"jiamenkou/internal/demo"
	miniprogram "jiamenkou/miniprogram-api"
	"jiamenkou/service/casework"
)

// clientSettings are the settings that the residents' client is told. A demo
// login is told only where the demo county is loaded; see prepareDemo.
func clientSettings(cfg config.Config) miniprogram.ClientSettings {
	out := miniprogram.ClientSettings{
		Mode:                 string(cfg.Mode),
		DailySignIn:          cfg.Compliance.DailySignIn,
		ResidentLeaderboards: cfg.Compliance.ResidentLeaderboards,
		CodeStep:             cfg.Market.CodeStep,
		AttendanceCodeStep:   cfg.Volunteer.CodeStep,
		ReadingBeat:          cfg.Reading.HeartbeatInterval,
		MaxUploadBytes:       min(cfg.Casework.MaxUploadBytes, casework.MaxUploadBytes),
		DailyReports:         cfg.Casework.DailyReports,
		ExpiryNoticeDays:     cfg.Ledger.ExpiryNoticeDays,
	}
	if cfg.Mode != config.Demo || !cfg.WeChat.Simulator {
		return out
	}
	for _, p := range demo.Residents() {
		out.DemoResidents = append(out.DemoResidents, miniprogram.DemoResident{Name: p.Name, Code: p.Login})
	}
	for _, p := range demo.Staff() {
		out.DemoStaff = append(out.DemoStaff, miniprogram.DemoStaff{Username: p.Login, Password: demo.Password, Name: p.Name, Role: string(p.Role)})
	}
	return out
}
