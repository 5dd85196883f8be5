package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Section is one part of the settings, for people to read.
type Section struct {
	Name     string
	Note     string // what config.yaml says of the part
	Settings []Setting
}

// Setting is one value in force.
type Setting struct {
	Key      string // "http.addr"
	Variable string // "JMK_HTTP_ADDR"
	Note     string // what config.yaml says of it
	Value    string // "" for a secret
	Default  string // as config.yaml has it; "" for a secret
	Secret   bool
	Set      bool // it has a value: all that is said of a secret
}

// secretKeys are never shown. A setting that holds a password belongs here;
// TestSettings_hidesSecrets knows what their names look like.
var secretKeys = []string{
	"database.mysql_dsn", "secrets.jwt", "secrets.pii", "secrets.pii_index", "secrets.code", "secrets.file_link",
	"wechat.app_secret", "wechat.callback_token",
}

// Settings lists every value in force by section, with what the embedded
// config.yaml says of it. Secrets are said to be set or not, nothing more.
func (c Config) Settings() ([]Section, error) {
	var base Config
	if err := decode("config.yaml", c.defaults, &base); err != nil {
		return nil, err
	}
	notes := notesOf(string(c.defaults))
	general := Section{Name: "general"}
	var sections []Section
	now, before := reflect.ValueOf(c), reflect.ValueOf(base)
	for i := range now.NumField() {
		name := now.Type().Field(i).Tag.Get("yaml")
		if name == "" { // no setting
			continue
		}
		if now.Field(i).Kind() != reflect.Struct {
			general.Settings = append(general.Settings, settingOf(name, notes, now.Field(i), before.Field(i)))
			continue
		}
		section := Section{Name: name, Note: notes[name]}
		for j := range now.Field(i).NumField() {
			key := name + "." + now.Field(i).Type().Field(j).Tag.Get("yaml")
			section.Settings = append(section.Settings, settingOf(key, notes, now.Field(i).Field(j), before.Field(i).Field(j)))
		}
		sections = append(sections, section)
	}
	return append([]Section{general}, sections...), nil
}

func settingOf(key string, notes map[string]string, now, before reflect.Value) Setting {
	s := Setting{Key: key, Variable: variable(key), Note: notes[key], Secret: slices.Contains(secretKeys, key), Set: !now.IsZero()}
	if !s.Secret {
		s.Value, s.Default = shown(now), shown(before)
	}
	return s
}

// shown writes a value as config.yaml would: 15m rather than 15m0s.
func shown(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		text := value.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
		return text
	case []string:
		return strings.Join(value, ", ")
	case map[string]string:
		lines := make([]string, 0, len(value))
		for k, text := range value {
			lines = append(lines, k+": "+text)
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	default:
		return fmt.Sprint(value)
	}
}

// notesOf reads the comments of config.yaml: "key: value # note" at the top and
// "  key: value # note" within a section. A line that only comments goes on
// with the note of the line before it.
func notesOf(text string) map[string]string {
	notes := map[string]string{}
	section, last := "", ""
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if more, ok := strings.CutPrefix(trimmed, "# "); ok {
			if last != "" {
				notes[last] += "\n" + more
			}
			continue
		}
		key, rest, ok := strings.Cut(trimmed, ":")
		if !ok {
			last = ""
			continue
		}
		if strings.HasPrefix(line, " ") {
			last = section + "." + key
		} else {
			section, last = key, key
		}
		if _, note, ok := strings.Cut(rest, " # "); ok {
			notes[last] = note
		}
	}
	return notes
}
