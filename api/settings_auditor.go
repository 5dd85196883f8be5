package api

import (
	"context"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/assurance"
)

type settingDTO struct {
	Key      string `json:"key" example:"http.addr"`
	Variable string `json:"variable" example:"JMK_HTTP_ADDR" doc:"可以用此环境变量设置"`
	Note     string `json:"note" doc:"config.yaml 中的说明"`
	Value    string `json:"value" doc:"密钥为空"`
	Default  string `json:"default" doc:"密钥为空"`
	Secret   bool   `json:"secret"`
	Set      bool   `json:"set" doc:"有值；密钥只说明有没有"`
}

type settingSectionDTO struct {
	Name     string       `json:"name" example:"http"`
	Note     string       `json:"note"`
	Settings []settingDTO `json:"settings"`
}

type settingsDTO struct {
	Sections []settingSectionDTO `json:"sections"`
}

func settingsOf(sections []assurance.SettingSection) settingsDTO {
	out := settingsDTO{Sections: make([]settingSectionDTO, len(sections))}
	for i, s := range sections {
		out.Sections[i] = settingSectionDTO{Name: s.Name, Note: s.Note, Settings: make([]settingDTO, len(s.Settings))}
		for j, x := range s.Settings {
			out.Sections[i].Settings[j] = settingDTO{x.Key, x.Variable, x.Note, x.Value, x.Default, x.Secret, x.Set}
		}
	}
	return out
}

// getSettings is no list to be paged: config.yaml bounds it.
func (s *server) getSettings(ctx context.Context, _ *struct{}) (*httpapi.Body[settingsDTO], error) {
	sections, err := s.Assurance.InForce(authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(settingsOf(sections)), nil
}
