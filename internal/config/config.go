// Package config reads config.yaml and the JMK_* variables that override it.
//
// config.yaml, embedded in the binary, is the only place where a default
// stands. A key that does not exist, a value of the wrong type and a secret
// that is missing or meant for demos stop the start with the key's name.
package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/goccy/go-yaml"
)

// Mode says what the program is run for.
type Mode string

// The modes. Demo starts the WeChat simulator, loads the demo county and uses
// the secrets that everybody knows; production refuses all three.
const (
	Demo       Mode = "demo"
	Production Mode = "production"
)

// Config is every setting. The yaml keys are the documented names; the
// variable of http.addr is JMK_HTTP_ADDR, and so on.
type Config struct {
	Mode       Mode       `yaml:"mode" env:"MODE"`
	HTTP       HTTP       `yaml:"http" envPrefix:"HTTP_"`
	Log        Log        `yaml:"log" envPrefix:"LOG_"`
	Database   Database   `yaml:"database" envPrefix:"DATABASE_"`
	Secrets    Secrets    `yaml:"secrets" envPrefix:"SECRETS_"`
	Auth       Auth       `yaml:"auth" envPrefix:"AUTH_"`
	WeChat     WeChat     `yaml:"wechat" envPrefix:"WECHAT_"`
	Limits     Limits     `yaml:"limits" envPrefix:"LIMITS_"`
	Compliance Compliance `yaml:"compliance" envPrefix:"COMPLIANCE_"`
	Files      Files      `yaml:"files" envPrefix:"FILES_"`
	Batch      Batch      `yaml:"batch" envPrefix:"BATCH_"`
	Queue      Queue      `yaml:"queue" envPrefix:"QUEUE_"`
	Jobs       Jobs       `yaml:"jobs" envPrefix:"JOBS_"`
	Ledger     Ledger     `yaml:"ledger" envPrefix:"LEDGER_"`
	Volunteer  Volunteer  `yaml:"volunteer" envPrefix:"VOLUNTEER_"`
	Reading    Reading    `yaml:"reading" envPrefix:"READING_"`
	Casework   Casework   `yaml:"casework" envPrefix:"CASEWORK_"`
	Market     Market     `yaml:"market" envPrefix:"MARKET_"`
	Settlement Settlement `yaml:"settlement" envPrefix:"SETTLEMENT_"`
	Export     Export     `yaml:"export" envPrefix:"EXPORT_"`
	Notify     Notify     `yaml:"notify" envPrefix:"NOTIFY_"`

	defaults []byte // the embedded config.yaml, which documents all of them
}

// HTTP is the server.
type HTTP struct {
	Addr              string        `yaml:"addr" env:"ADDR"`
	PublicURL         string        `yaml:"public_url" env:"PUBLIC_URL"`
	ReadHeaderTimeout time.Duration `yaml:"read_header_timeout" env:"READ_HEADER_TIMEOUT"`
	ReadTimeout       time.Duration `yaml:"read_timeout" env:"READ_TIMEOUT"`
	WriteTimeout      time.Duration `yaml:"write_timeout" env:"WRITE_TIMEOUT"`
	IdleTimeout       time.Duration `yaml:"idle_timeout" env:"IDLE_TIMEOUT"`
	ShutdownTimeout   time.Duration `yaml:"shutdown_timeout" env:"SHUTDOWN_TIMEOUT"`
	MaxHeaderBytes    int           `yaml:"max_header_bytes" env:"MAX_HEADER_BYTES"`
	MaxBodyBytes      int64         `yaml:"max_body_bytes" env:"MAX_BODY_BYTES"`
	TrustedProxies    []string      `yaml:"trusted_proxies" env:"TRUSTED_PROXIES"`
}

// Log is what the program writes about itself.
type Log struct {
	Format string `yaml:"format" env:"FORMAT"` // text | json
	Level  string `yaml:"level" env:"LEVEL"`   // debug | info | warn | error
}

// Database is where the data lives.
type Database struct {
	Driver         string        `yaml:"driver" env:"DRIVER"`
	SQLitePath     string        `yaml:"sqlite_path" env:"SQLITE_PATH"`
	MySQLDSN       string        `yaml:"mysql_dsn" env:"MYSQL_DSN"`
	MaxConnections int           `yaml:"max_connections" env:"MAX_CONNECTIONS"`
	LockWait       time.Duration `yaml:"lock_wait" env:"LOCK_WAIT"`
	TxTimeout      time.Duration `yaml:"tx_timeout" env:"TX_TIMEOUT"`
	TxAttempts     int           `yaml:"tx_attempts" env:"TX_ATTEMPTS"`
}

// Secrets come from the environment in production.
type Secrets struct {
	JWT      string `yaml:"jwt" env:"JWT"`             // signs access tokens
	PII      string `yaml:"pii" env:"PII"`             // encrypts personal data: id:base64[,id:base64]
	PIIIndex string `yaml:"pii_index" env:"PII_INDEX"` // looks it up; empty until the first rotation of pii
	Code     string `yaml:"code" env:"CODE"`           // signs redemption codes
	FileLink string `yaml:"file_link" env:"FILE_LINK"` // signs links to pictures
}

// Auth is logins and sessions.
type Auth struct {
	AccessTTL        time.Duration `yaml:"access_ttl" env:"ACCESS_TTL"`
	RefreshTTL       time.Duration `yaml:"refresh_ttl" env:"REFRESH_TTL"`
	SessionCacheTTL  time.Duration `yaml:"session_cache_ttl" env:"SESSION_CACHE_TTL"`
	MaxFailedLogins  int           `yaml:"max_failed_logins" env:"MAX_FAILED_LOGINS"`
	MaxExportRows    int           `yaml:"max_export_rows" env:"MAX_EXPORT_ROWS"`
	LockoutDuration  time.Duration `yaml:"lockout_duration" env:"LOCKOUT_DURATION"`
	SecondFactor     string        `yaml:"second_factor" env:"SECOND_FACTOR"`
	PasswordMemoryMB uint32        `yaml:"password_memory_mb" env:"PASSWORD_MEMORY_MB"`
	PasswordPasses   uint32        `yaml:"password_passes" env:"PASSWORD_PASSES"`
}

// WeChat is the mini-program's account.
type WeChat struct {
	AppID          string        `yaml:"app_id" env:"APP_ID"`
	AppSecret      string        `yaml:"app_secret" env:"APP_SECRET"`
	CallbackToken  string        `yaml:"callback_token" env:"CALLBACK_TOKEN"`
	Simulator      bool          `yaml:"simulator" env:"SIMULATOR"`
	RequestTimeout time.Duration `yaml:"request_timeout" env:"REQUEST_TIMEOUT"`
	ScenePage      string        `yaml:"scene_page" env:"SCENE_PAGE"`
}

// Limits are the rates per address and per principal.
type Limits struct {
	LoginPerMinute      int `yaml:"login_per_minute" env:"LOGIN_PER_MINUTE"`
	LoginBurst          int `yaml:"login_burst" env:"LOGIN_BURST"`
	RedemptionPerMinute int `yaml:"redemption_per_minute" env:"REDEMPTION_PER_MINUTE"`
	RedemptionBurst     int `yaml:"redemption_burst" env:"REDEMPTION_BURST"`
	UnmaskPerMinute     int `yaml:"unmask_per_minute" env:"UNMASK_PER_MINUTE"`
	UnmaskBurst         int `yaml:"unmask_burst" env:"UNMASK_BURST"`
	SearchPerMinute     int `yaml:"search_per_minute" env:"SEARCH_PER_MINUTE"`
	SearchBurst         int `yaml:"search_burst" env:"SEARCH_BURST"`
	TakeoutPerMinute    int `yaml:"takeout_per_minute" env:"TAKEOUT_PER_MINUTE"`
	TakeoutBurst        int `yaml:"takeout_burst" env:"TAKEOUT_BURST"`
	VerifyPerMinute     int `yaml:"verify_per_minute" env:"VERIFY_PER_MINUTE"`
	VerifyBurst         int `yaml:"verify_burst" env:"VERIFY_BURST"`
}

// Compliance switches what a county may not want or may not have.
type Compliance struct {
	DailySignIn          bool `yaml:"daily_sign_in" env:"DAILY_SIGN_IN"`
	ResidentLeaderboards bool `yaml:"resident_leaderboards" env:"RESIDENT_LEADERBOARDS"`
}

// Files is where pictures are kept.
type Files struct {
	Path       string        `yaml:"path" env:"PATH"`
	KeepUnused time.Duration `yaml:"keep_unused" env:"KEEP_UNUSED"`
}

// Batch is how concurrent orders, sign-ins and completed readings are combined
// into transactions.
type Batch struct {
	MaxItems    int           `yaml:"max_items" env:"MAX_ITEMS"`
	MaxWait     time.Duration `yaml:"max_wait" env:"MAX_WAIT"`
	QueueLength int           `yaml:"queue_length" env:"QUEUE_LENGTH"`
	Lanes       int           `yaml:"lanes" env:"LANES"`
}

// Queue is the outbox and its workers.
type Queue struct {
	Workers      int           `yaml:"workers" env:"WORKERS"`
	PollInterval time.Duration `yaml:"poll_interval" env:"POLL_INTERVAL"`
	LeaseMargin  time.Duration `yaml:"lease_margin" env:"LEASE_MARGIN"`
	KeepDone     time.Duration `yaml:"keep_done" env:"KEEP_DONE"`
	KeepDead     time.Duration `yaml:"keep_dead" env:"KEEP_DEAD"`
}

// Jobs is cron.
type Jobs struct {
	Enabled     bool          `yaml:"enabled" env:"ENABLED"`
	Lease       time.Duration `yaml:"lease" env:"LEASE"`
	KeepHistory time.Duration `yaml:"keep_history" env:"KEEP_HISTORY"`
}

// Ledger is what people do about postings.
type Ledger struct {
	ExpiryNoticeDays      int           `yaml:"expiry_notice_days" env:"EXPIRY_NOTICE_DAYS"`
	DailyAdjustmentPoints int64         `yaml:"daily_adjustment_points" env:"DAILY_ADJUSTMENT_POINTS"`
	AdjustmentTTL         time.Duration `yaml:"adjustment_ttl" env:"ADJUSTMENT_TTL"`
	ObjectionTTL          time.Duration `yaml:"objection_ttl" env:"OBJECTION_TTL"`
}

// Volunteer is activities and attendance.
type Volunteer struct {
	CheckInEarly      time.Duration `yaml:"check_in_early" env:"CHECK_IN_EARLY"`
	CheckOutLate      time.Duration `yaml:"check_out_late" env:"CHECK_OUT_LATE"`
	CodeStep          time.Duration `yaml:"code_step" env:"CODE_STEP"`
	KeepCoordinates   time.Duration `yaml:"keep_coordinates" env:"KEEP_COORDINATES"`
	MaxRadiusMeters   int64         `yaml:"max_radius_meters" env:"MAX_RADIUS_METERS"`
	MaxFailedCheckIns int64         `yaml:"max_failed_check_ins" env:"MAX_FAILED_CHECK_INS"`
}

// Reading is articles and reading sessions.
type Reading struct {
	HeartbeatInterval time.Duration `yaml:"heartbeat_interval" env:"HEARTBEAT_INTERVAL"`
	SessionTTL        time.Duration `yaml:"session_ttl" env:"SESSION_TTL"`
}

// Casework is reports.
type Casework struct {
	DailyReports     int64         `yaml:"daily_reports" env:"DAILY_REPORTS"`
	DailyUploads     int64         `yaml:"daily_uploads" env:"DAILY_UPLOADS"`
	MaxUploadBytes   int64         `yaml:"max_upload_bytes" env:"MAX_UPLOAD_BYTES"`
	DueIn            time.Duration `yaml:"due_in" env:"DUE_IN"`
	AutoConfirmAfter time.Duration `yaml:"auto_confirm_after" env:"AUTO_CONFIRM_AFTER"`
	MaxReopens       int64         `yaml:"max_reopens" env:"MAX_REOPENS"`
	KeepCoordinates  time.Duration `yaml:"keep_coordinates" env:"KEEP_COORDINATES"`
}

// Market is orders and redemption codes.
type Market struct {
	CodeStep time.Duration `yaml:"code_step" env:"CODE_STEP"`
}

// Settlement is the statements to merchants.
type Settlement struct {
	ConfirmWindow time.Duration `yaml:"confirm_window" env:"CONFIRM_WINDOW"`
}

// Export is lists written into files.
type Export struct {
	MaxRows       int64         `yaml:"max_rows" env:"MAX_ROWS"`
	MaxConcurrent int64         `yaml:"max_concurrent" env:"MAX_CONCURRENT"`
	MaxFileBytes  int64         `yaml:"max_file_bytes" env:"MAX_FILE_BYTES"`
	Keep          time.Duration `yaml:"keep" env:"KEEP"`
}

// Notify is messages to residents and staff.
type Notify struct {
	Templates map[string]string `yaml:"templates" env:"TEMPLATES"`
	Page      string            `yaml:"page" env:"PAGE"`
	MaxQuota  int64             `yaml:"max_quota" env:"MAX_QUOTA"`
	Keep      time.Duration     `yaml:"keep" env:"KEEP"`
	BatchSize int               `yaml:"batch_size" env:"BATCH_SIZE"`
}

// prefix of every variable; the two beneath are not settings.
const prefix = "JMK_"

var notSettings = []string{"JMK_CONFIG", "JMK_TEST_"}

// demoSecretPrefix begins every secret of demo mode: production refuses it.
const demoSecretPrefix = "demo-only"

// Load reads defaults (the embedded config.yaml), then the file at path if
// path is not empty, then the variables in environ ("KEY=value").
func Load(defaults []byte, path string, environ []string) (Config, error) {
	c := Config{defaults: defaults}
	if err := decode("config.yaml", defaults, &c); err != nil {
		return c, err
	}
	if path != "" {
		file, err := os.ReadFile(path) //nolint:gosec // the operator names it
		if err != nil {
			return c, fmt.Errorf("config: %w", err)
		}
		if err := decode(path, file, &c); err != nil {
			return c, err
		}
	}
	if err := override(&c, environ); err != nil {
		return c, err
	}
	if c.Mode == Demo {
		c.Secrets.fillForDemo()
	}
	return c, c.validate()
}

func decode(name string, raw []byte, c *Config) error {
	dec := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict())
	if err := dec.Decode(c); err != nil {
		return fmt.Errorf("config: %s: %s", name, yaml.FormatError(err, false, true))
	}
	return nil
}

// override applies the variables and refuses one that names no setting, so
// that a typing error is not taken for the default.
func override(c *Config, environ []string) error {
	opts := env.Options{Prefix: prefix, Environment: map[string]string{}}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(k, prefix) {
			opts.Environment[k] = v
		}
	}
	params, err := env.GetFieldParamsWithOptions(c, opts)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	known := map[string]bool{}
	for _, p := range params {
		known[p.Key] = true
	}
	for k := range opts.Environment {
		if !known[k] && !slices.ContainsFunc(notSettings, func(p string) bool { return strings.HasPrefix(k, p) }) {
			return fmt.Errorf("config: %s is not a setting: see config.yaml", k)
		}
	}
	// One variable at a time, so that an error names the variable.
	for _, p := range params {
		v, ok := opts.Environment[p.Key]
		if !ok {
			continue
		}
		err := env.ParseWithOptions(c, env.Options{Prefix: prefix, Environment: map[string]string{p.Key: v}})
		if err != nil {
			return fmt.Errorf("config: %s has a value of the wrong type: see config.yaml", p.Key)
		}
	}
	return nil
}

func (s *Secrets) each(f func(key string, value *string)) {
	f("secrets.jwt", &s.JWT)
	f("secrets.pii", &s.PII)
	f("secrets.code", &s.Code)
	f("secrets.file_link", &s.FileLink)
}

func (s *Secrets) fillForDemo() {
	s.each(func(key string, value *string) {
		if *value == "" {
			*value = demoSecretPrefix + ":" + base64.StdEncoding.EncodeToString(demoKey(key))
		}
	})
}

// demoKey is 32 bytes that everybody can compute.
func demoKey(key string) []byte {
	sum := sha256.Sum256([]byte(demoSecretPrefix + key))
	return sum[:]
}

// What batch may be set to: the services refuse larger batches, and a longer
// wait would only make everybody wait.
const (
	maxBatchItems = 500
	maxBatchWait  = time.Second
)

// minSecretBytes is the shortest secret: 256 bits as hexadecimal would be 64
// characters, as base64 44.
const minSecretBytes = 32

func variable(key string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func (c *Config) validate() error {
	var errs []error
	need := func(ok bool, key, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("config: %s (%s) %s", key, variable(key), what))
		}
	}
	need(c.Mode == Demo || c.Mode == Production, "mode", "must be demo or production")
	need(c.Database.Driver == "sqlite" || c.Database.Driver == "mysql", "database.driver", "must be sqlite or mysql")
	need(c.Database.Driver != "sqlite" || c.Database.SQLitePath != "", "database.sqlite_path", "is missing")
	need(c.Database.Driver != "mysql" || c.Database.MySQLDSN != "", "database.mysql_dsn", "is missing")
	need(slices.Contains([]string{"off", "optional", "required"}, c.Auth.SecondFactor), "auth.second_factor", "must be off, optional or required")
	need(c.HTTP.Addr != "", "http.addr", "is missing")
	need(c.HTTP.MaxBodyBytes > 0, "http.max_body_bytes", "must be above zero")
	need(c.Log.Format == "text" || c.Log.Format == "json", "log.format", "must be text or json")
	need(slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level", "must be debug, info, warn or error")
	for key, d := range map[string]time.Duration{
		"http.shutdown_timeout": c.HTTP.ShutdownTimeout, "http.read_header_timeout": c.HTTP.ReadHeaderTimeout,
		"auth.access_ttl": c.Auth.AccessTTL, "auth.refresh_ttl": c.Auth.RefreshTTL, "queue.lease_margin": c.Queue.LeaseMargin,
		"jobs.lease": c.Jobs.Lease, "market.code_step": c.Market.CodeStep, "wechat.request_timeout": c.WeChat.RequestTimeout,
		"database.lock_wait": c.Database.LockWait, "database.tx_timeout": c.Database.TxTimeout,
	} {
		need(d > 0, key, "must be a duration above zero, such as 30s")
	}
	for key, n := range map[string]int{
		"limits.login_per_minute": c.Limits.LoginPerMinute, "limits.login_burst": c.Limits.LoginBurst,
		"limits.redemption_per_minute": c.Limits.RedemptionPerMinute, "limits.redemption_burst": c.Limits.RedemptionBurst,
		"limits.unmask_per_minute": c.Limits.UnmaskPerMinute, "limits.unmask_burst": c.Limits.UnmaskBurst,
		"limits.search_per_minute": c.Limits.SearchPerMinute, "limits.search_burst": c.Limits.SearchBurst,
		"limits.takeout_per_minute": c.Limits.TakeoutPerMinute, "limits.takeout_burst": c.Limits.TakeoutBurst,
		"limits.verify_per_minute": c.Limits.VerifyPerMinute, "limits.verify_burst": c.Limits.VerifyBurst,
		"database.max_connections": c.Database.MaxConnections, "database.tx_attempts": c.Database.TxAttempts,
		"queue.workers": c.Queue.Workers, "auth.max_failed_logins": c.Auth.MaxFailedLogins, "auth.max_export_rows": c.Auth.MaxExportRows,
	} {
		need(n > 0, key, "must be above zero")
	}
	need(c.Files.KeepUnused >= time.Hour, "files.keep_unused", "must be 1h at least")
	need(c.Export.MaxRows > 0 && c.Export.MaxRows <= 1_000_000 && c.Export.MaxConcurrent > 0 && c.Export.MaxFileBytes > 0 && c.Export.Keep > 0,
		"export", "its numbers and durations must be above zero, max_rows at most 1000000")
	need(c.Ledger.ExpiryNoticeDays > 0 && c.Ledger.DailyAdjustmentPoints > 0 && c.Ledger.AdjustmentTTL > 0 && c.Ledger.ObjectionTTL > 0,
		"ledger", "its numbers and durations must be above zero")
	need(c.Batch.MaxItems >= 1 && c.Batch.MaxItems <= maxBatchItems, "batch.max_items", fmt.Sprintf("must be 1 to %d", maxBatchItems))
	need(c.Batch.MaxWait >= 0 && c.Batch.MaxWait <= maxBatchWait, "batch.max_wait", fmt.Sprintf("must be 0s to %s", maxBatchWait))
	need(c.Batch.QueueLength >= 1, "batch.queue_length", "must be above zero")
	need(c.Batch.Lanes >= 1 && c.Batch.Lanes <= c.Database.MaxConnections, "batch.lanes", "must be 1 to database.max_connections")
	c.Secrets.each(func(key string, value *string) {
		need(len(*value) >= minSecretBytes, key, fmt.Sprintf("is missing or shorter than %d characters", minSecretBytes))
	})
	if c.Mode == Production {
		c.Secrets.each(func(key string, value *string) {
			need(!strings.HasPrefix(*value, demoSecretPrefix), key, "is a demo secret: production needs its own")
		})
		need(!c.WeChat.Simulator, "wechat.simulator", "must be off in production")
		need(c.WeChat.AppID != "", "wechat.app_id", "is missing")
		need(c.WeChat.AppSecret != "", "wechat.app_secret", "is missing")
		need(c.WeChat.CallbackToken != "", "wechat.callback_token", "is missing")
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
