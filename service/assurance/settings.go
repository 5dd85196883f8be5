package assurance

import (
	"jiamenkou/internal/authz"
	"jiamenkou/internal/config"
)

// SettingSection is a part of the settings in force.
type SettingSection = config.Section

// Setting is one of them.
type Setting = config.Setting

// InForce lists the settings of the instance that answers, secrets only as set
// or not. For operators and auditors of a county. They are changed in
// config.yaml, never here.
func (s *Service) InForce(actor authz.Actor) ([]SettingSection, error) {
	if err := inCounty(actor, readers...); err != nil {
		return nil, err
	}
	return s.Settings, nil
}
