package config

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"
	"github.com/stretchr/testify/require"
)

func settings(t *testing.T, environ ...string) (all map[string]Setting, sections []Section) {
	t.Helper()
	c, err := Load(defaults(t), "", environ)
	require.NoError(t, err)
	sections, err = c.Settings()
	require.NoError(t, err)
	all = map[string]Setting{}
	for _, s := range sections {
		for _, x := range s.Settings {
			all[x.Key] = x
		}
	}
	return all, sections
}

func TestSettings(t *testing.T) {
	all, sections := settings(t, "JMK_HTTP_READ_TIMEOUT=90s", "JMK_HTTP_TRUSTED_PROXIES=10.0.0.1,10.0.0.2", "JMK_NOTIFY_TEMPLATES=casework.moved:TPL_1")
	params, err := env.GetFieldParamsWithOptions(&Config{}, env.Options{Prefix: prefix})
	require.NoError(t, err)
	require.Len(t, all, len(params), "every setting, and nothing else")
	for _, x := range all {
		require.True(t, x.Note != "" || strings.HasPrefix(x.Key, "limits."), "%s has no note", x.Key)
	}
	require.Equal(t, "general", sections[0].Name)
	require.Equal(t, Setting{Key: "mode", Variable: "JMK_MODE", Note: "demo (simulated WeChat, demo county, well-known secrets) or production (refuses all three)", Value: "demo", Default: "demo", Set: true}, sections[0].Settings[0])
	require.Equal(t, "1m30s", all["http.read_timeout"].Value)
	require.Equal(t, "1m", all["http.read_timeout"].Default)
	require.Equal(t, "15m", all["auth.access_ttl"].Value)
	require.Equal(t, "720h", all["auth.refresh_ttl"].Value)
	require.Equal(t, "1ms", all["batch.max_wait"].Value)
	require.Equal(t, "10.0.0.1, 10.0.0.2", all["http.trusted_proxies"].Value)
	require.Equal(t, "casework.moved: TPL_1", all["notify.templates"].Value)
	require.Contains(t, all["notify.templates"].Note, "\nA template whose keywords", "the comment below goes with it")
	for _, s := range sections {
		if s.Name == "limits" {
			require.Equal(t, "per address and per person, on each instance", s.Note)
		}
	}
	require.False(t, all["database.mysql_dsn"].Set)
}

// A secret is shown nowhere, and what looks like one is one.
func TestSettings_hidesSecrets(t *testing.T) {
	secret := strings.Repeat("s3cret-", 8)
	all, sections := settings(t, "JMK_SECRETS_JWT="+secret, "JMK_SECRETS_PII_INDEX="+secret, "JMK_WECHAT_APP_SECRET="+secret,
		"JMK_WECHAT_CALLBACK_TOKEN="+secret, "JMK_DATABASE_MYSQL_DSN=u:"+secret+"@tcp(h)/d")
	require.NotContains(t, fmt.Sprintf("%+v", sections), secret)
	require.NotContains(t, fmt.Sprintf("%+v", sections), demoSecretPrefix+":")
	looks := regexp.MustCompile(`^secrets\.|(secret|token|dsn|password|key)$`)
	for key, x := range all {
		require.Equal(t, looks.MatchString(key), x.Secret, key)
		if x.Secret {
			require.Empty(t, x.Value+x.Default, key)
		}
	}
	for _, key := range []string{"secrets.jwt", "secrets.pii", "wechat.app_secret", "database.mysql_dsn"} {
		require.True(t, all[key].Set, key)
	}
}
