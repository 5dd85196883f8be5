package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"
	"github.com/stretchr/testify/require"
)

func defaults(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile("../../config.yaml")
	require.NoError(t, err)
	return raw
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestLoad(t *testing.T) {
	t.Run("defaults are a working demo", func(t *testing.T) {
		c, err := Load(defaults(t), "", nil)
		require.NoError(t, err)
		require.Equal(t, Demo, c.Mode)
		require.Equal(t, "127.0.0.1:8080", c.HTTP.Addr)
		require.Equal(t, "sqlite", c.Database.Driver)
	})
	t.Run("a file overrides the defaults and a variable the file", func(t *testing.T) {
		path := file(t, "http:\n  addr: 127.0.0.1:1\nlimits:\n  login_burst: 7\n")
		c, err := Load(defaults(t), path, []string{"JMK_HTTP_ADDR=127.0.0.1:2", "JMK_AUTH_ACCESS_TTL=3m", "JMK_TEST_MYSQL_DSN=x", "HOME=/"})
		require.NoError(t, err)
		require.Equal(t, "127.0.0.1:2", c.HTTP.Addr)
		require.Equal(t, 7, c.Limits.LoginBurst)
		require.Equal(t, "3m0s", c.Auth.AccessTTL.String())
		require.Equal(t, "sqlite", c.Database.Driver, "what neither names stays")
	})
	t.Run("templates of messages come from a file or a variable", func(t *testing.T) {
		want := map[string]string{"casework.moved": "TPL_1", "ledger.points_expiring": "TPL-2/thing4/thing2/time5"}
		c, err := Load(defaults(t), file(t, "notify:\n  templates:\n    casework.moved: TPL_1\n    ledger.points_expiring: TPL-2/thing4/thing2/time5\n"), nil)
		require.NoError(t, err)
		require.Equal(t, want, c.Notify.Templates)
		c, err = Load(defaults(t), "", []string{"JMK_NOTIFY_TEMPLATES=casework.moved:TPL_1,ledger.points_expiring:TPL-2/thing4/thing2/time5"})
		require.NoError(t, err)
		require.Equal(t, want, c.Notify.Templates)
	})
}

func TestLoad_refuses(t *testing.T) {
	secret := strings.Repeat("s", 40)
	production := []string{
		"JMK_MODE=production", "JMK_WECHAT_SIMULATOR=false", "JMK_WECHAT_APP_ID=wx1", "JMK_WECHAT_APP_SECRET=" + secret,
		"JMK_WECHAT_CALLBACK_TOKEN=token", "JMK_SECRETS_JWT=" + secret, "JMK_SECRETS_PII=" + secret,
		"JMK_SECRETS_CODE=" + secret, "JMK_SECRETS_FILE_LINK=" + secret,
	}
	_, err := Load(defaults(t), "", production)
	require.NoError(t, err, "the base of the cases below must be right")
	without := func(name string) []string {
		var out []string
		for _, kv := range production {
			if !strings.HasPrefix(kv, name+"=") {
				out = append(out, kv)
			}
		}
		return out
	}
	with := func(kv string) []string {
		name, _, _ := strings.Cut(kv, "=")
		return append(without(name), kv)
	}
	for name, tc := range map[string]struct {
		yaml    string
		environ []string
		want    string // the key's name must be in the error
	}{
		"an unknown key":                {"http:\n  adr: x\n", nil, "adr"},
		"an unknown section":            {"htpp:\n  addr: x\n", nil, "htpp"},
		"a number for a duration":       {"auth:\n  access_ttl: [1]\n", nil, "access_ttl"},
		"text for a number":             {"limits:\n  login_burst: many\n", nil, "login_burst"},
		"an unknown variable":           {"", []string{"JMK_DATABSE_DRIVER=mysql"}, "JMK_DATABSE_DRIVER"},
		"a variable of the wrong type":  {"", []string{"JMK_LIMITS_LOGIN_BURST=many"}, "JMK_LIMITS_LOGIN_BURST"},
		"an unknown driver":             {"", []string{"JMK_DATABASE_DRIVER=oracle"}, "database.driver"},
		"an unknown mode":               {"", []string{"JMK_MODE=prod"}, "mode"},
		"a batch that is too large":     {"", []string{"JMK_BATCH_MAX_ITEMS=501"}, "batch.max_items"},
		"a batch that waits too long":   {"batch:\n  max_wait: 2s\n", nil, "batch.max_wait"},
		"no place to wait in":           {"", []string{"JMK_BATCH_QUEUE_LENGTH=0"}, "batch.queue_length"},
		"more lanes than connections":   {"", []string{"JMK_BATCH_LANES=33"}, "batch.lanes"},
		"mysql without a DSN":           {"", []string{"JMK_DATABASE_DRIVER=mysql"}, "database.mysql_dsn"},
		"production without a secret":   {"", without("JMK_SECRETS_PII"), "secrets.pii"},
		"production with a demo secret": {"", with("JMK_SECRETS_JWT=demo-only-" + secret), "secrets.jwt"},
		"production with a short one":   {"", with("JMK_SECRETS_CODE=short"), "secrets.code"},
		"production with the simulator": {"", with("JMK_WECHAT_SIMULATOR=true"), "wechat.simulator"},
		"production without WeChat":     {"", without("JMK_WECHAT_APP_SECRET"), "wechat.app_secret"},
	} {
		t.Run(name, func(t *testing.T) {
			path := ""
			if tc.yaml != "" {
				path = file(t, tc.yaml)
			}
			_, err := Load(defaults(t), path, tc.environ)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), secret, "an error must not show a secret")
		})
	}
}

// Each setting stands in config.yaml, with a comment.
func TestDefaults_documentEverySetting(t *testing.T) {
	raw := string(defaults(t))
	params, err := env.GetFieldParamsWithOptions(&Config{}, env.Options{Prefix: prefix})
	require.NoError(t, err)
	require.NotEmpty(t, params)
	section, found := "", map[string]bool{}
	for line := range strings.SplitSeq(raw, "\n") {
		if m := regexp.MustCompile(`^([a-z]+):`).FindStringSubmatch(line); m != nil {
			section = m[1]
			found[variable(section)] = true
		}
		if m := regexp.MustCompile(`^  ([a-z_]+): `).FindStringSubmatch(line); m != nil {
			found[variable(section+"."+m[1])] = true
			require.True(t, strings.Contains(line, "#") || section == "limits", "no comment: %s", line)
		}
	}
	for _, p := range params {
		require.True(t, found[p.Key], "config.yaml does not list %s", p.Key)
	}
}
