package app

import (
	"context"
	"path/filepath"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/picture"
	"jiamenkou/internal/pii"
	"jiamenkou/internal/schedule"
	"jiamenkou/jobs"
	"jiamenkou/service/assurance"
	"jiamenkou/service/casework"
	"jiamenkou/service/desk"
	"jiamenkou/service/export"
	"jiamenkou/service/identity"
	"jiamenkou/service/insight"
	"jiamenkou/service/invite"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
	"jiamenkou/service/lookup"
	"jiamenkou/service/market"
	"jiamenkou/service/media"
	"jiamenkou/service/notify"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/recourse"
	"jiamenkou/service/region"
	"jiamenkou/service/settlement"
	"jiamenkou/service/volunteer"
)

// Services are every domain's service, from the ground up.
type Services struct {
	Region     *region.Service
	Identity   *identity.Service
	Ledger     *ledger.Service
	Policy     *policy.Service
	Volunteer  *volunteer.Service
	Reading    *reading.Service
	Casework   *casework.Service
	Market     *market.Service
	Settlement *settlement.Service

	Leaderboard *leaderboard.Service
	Recourse    *recourse.Service
	Notify      *notify.Service
	Media       *media.Service
	Invite      *invite.Service
	Insight     *insight.Service
	Export      *export.Service
	Lookup      *lookup.Service
	Assurance   *assurance.Service
	Desk        *desk.Service
}

// newServices puts the services together on a clock: the real one, or the
// demo loader's, which lives through a month in seconds.
func (a *App) newServices(c clock.Clock) (s Services, err error) {
	sealer, err := pii.New(pii.Config{Keys: a.cfg.Secrets.PII, IndexKey: a.cfg.Secrets.PIIIndex})
	if err != nil {
		return s, err
	}
	s.Region = region.New(a.db, c)
	s.Identity, err = identity.New(a.db, c, sealer, a.wechat, identity.Config{
		JWTSecret: a.cfg.Secrets.JWT, AccessTTL: a.cfg.Auth.AccessTTL, RefreshTTL: a.cfg.Auth.RefreshTTL,
		ActorCacheTTL: a.cfg.Auth.SessionCacheTTL, MaxFailedLogins: a.cfg.Auth.MaxFailedLogins, LockoutTime: a.cfg.Auth.LockoutDuration,
		MaxExportRows: a.cfg.Auth.MaxExportRows,
		SecondFactor:  identity.SecondFactorMode(a.cfg.Auth.SecondFactor),
		Argon2:        identity.Argon2{MemoryKiB: a.cfg.Auth.PasswordMemoryMB << 10, Time: a.cfg.Auth.PasswordPasses, Threads: 1},
	})
	if err != nil {
		return s, err
	}
	if err = a.addDomains(&s, c); err != nil {
		return s, err
	}
	if err = a.addReaders(&s, c); err != nil {
		return s, err
	}
	s.exportResidents()
	s.keepRegions(c)
	return s, nil
}

// keepRegions tells the tree of regions who has what lying in it.
func (s *Services) keepRegions(c clock.Clock) {
	trail := identity.NewTrail(c)
	s.Region.OnChange(func(tx *gorm.DB, made region.Change) error {
		return trail.RecordTx(tx, identity.AuditEntry{
			Actor: made.Actor, Action: made.Action, ObjectType: "region", ObjectID: made.Region.ID, RegionID: made.Region.ID,
			Reason: made.Reason, Detail: made.Detail,
		})
	})
	s.Region.OnClose(s.Identity, s.Casework, s.Recourse, s.Volunteer, s.Reading, s.Market, s.Policy)
	s.Region.OnPlaced(s.Policy.CheckPlaceTx)
	s.Region.AfterPlaced(s.Identity.ForgetActors)
}

// exportResidents lets a resident take along what each service holds, in the
// order of the file. What is left out stands in TestExport_coversEveryTable.
func (s *Services) exportResidents() {
	for _, parts := range [][]identity.ExportPart{
		s.Ledger.ExportParts(), s.Policy.ExportParts(), s.Volunteer.ExportParts(), s.Reading.ExportParts(), s.Casework.ExportParts(),
		s.Market.ExportParts(), s.Notify.ExportParts(), s.Recourse.ExportParts(),
	} {
		s.Identity.OnExport(parts...)
	}
}

// addDomains puts together the points and what earns and spends them.
func (a *App) addDomains(s *Services, c clock.Clock) error {
	store, err := blob.OpenDisk(a.cfg.Files.Path, max(media.MaxAudioBytes, a.cfg.Casework.MaxUploadBytes))
	if err != nil {
		return err
	}
	s.Media = media.New(a.db, c, store)
	s.Ledger = ledger.New(a.db, c)
	s.Policy = policy.New(a.db, c, s.Ledger)
	s.Volunteer = volunteer.New(a.db, c, s.Ledger, s.Policy, s.Identity, volunteer.Config{
		CheckInEarly: a.cfg.Volunteer.CheckInEarly, CheckOutLate: a.cfg.Volunteer.CheckOutLate, CodeStep: a.cfg.Volunteer.CodeStep,
		KeepCoordinates: a.cfg.Volunteer.KeepCoordinates, MaxRadiusMeters: a.cfg.Volunteer.MaxRadiusMeters,
		MaxFailedCheckIns: a.cfg.Volunteer.MaxFailedCheckIns, PublicURL: a.publicURL(),
	})
	s.Reading, err = reading.New(a.db, c, s.Ledger, s.Policy, reading.Config{
		HeartbeatInterval: a.cfg.Reading.HeartbeatInterval, SessionTTL: a.cfg.Reading.SessionTTL,
		DailySignIn: a.cfg.Compliance.DailySignIn, Batch: a.batchConfig(),
	})
	if err != nil {
		return err
	}
	if s.Casework, err = a.newCasework(c, *s, store); err != nil {
		return err
	}
	s.Media.OnUnused(s.Reading.UsedMedia)
	s.Identity.OnDelete(s.Casework.ForgetTx)
	s.Identity.OnDelete(s.Volunteer.ForgetTx)
	s.Market, err = market.New(a.db, c, s.Ledger, market.Config{
		CodeKey: a.cfg.Secrets.Code, CodeStep: a.cfg.Market.CodeStep, Batch: a.batchConfig(),
	})
	if err != nil {
		return err
	}
	s.Identity.OnDelete(s.Market.ForgetTx)
	s.Media.OnUnused(s.Market.UsedMedia)
	return nil
}

// addReaders puts together what reads what the domains did.
func (a *App) addReaders(s *Services, c clock.Clock) (err error) {
	s.Settlement = settlement.New(a.db, c, s.Ledger, settlement.Config{ConfirmWindow: a.cfg.Settlement.ConfirmWindow})
	s.Recourse = recourse.New(a.db, c, s.Ledger, s.Policy, recourse.Config{
		DailyAdjustmentPoints: a.cfg.Ledger.DailyAdjustmentPoints, AdjustmentTTL: a.cfg.Ledger.AdjustmentTTL,
		ObjectionTTL: a.cfg.Ledger.ObjectionTTL,
	})
	s.Identity.OnDelete(s.Recourse.ForgetTx)
	s.Leaderboard = leaderboard.New(a.db, c, s.Region, s.Identity, s.Ledger, leaderboard.Config{Enabled: a.cfg.Compliance.ResidentLeaderboards})
	s.Notify, err = notify.New(a.db, c, s.Ledger, a.wechat, notify.Config{
		Templates: a.cfg.Notify.Templates, Page: a.cfg.Notify.Page, MaxQuota: a.cfg.Notify.MaxQuota,
		Keep: a.cfg.Notify.Keep, BatchSize: a.cfg.Notify.BatchSize,
	})
	if err != nil {
		return err
	}
	s.Identity.OnDelete(s.Notify.ForgetTx)
	s.Invite = invite.New(s.Volunteer, s.Market, a.wechat, a.cfg.WeChat.ScenePage)
	s.Insight = insight.New(a.db, c, s.Region, s.Ledger, s.Policy, insight.Config{CaseDueIn: a.cfg.Casework.DueIn})
	s.Lookup = lookup.New(lookup.Parts{
		Identity: s.Identity, Ledger: s.Ledger, Volunteer: s.Volunteer, Casework: s.Casework, Market: s.Market,
		Reading: s.Reading, Policy: s.Policy, Region: s.Region,
	})
	files, err := blob.OpenDisk(filepath.Join(a.cfg.Files.Path, "exports"), a.cfg.Export.MaxFileBytes)
	if err != nil {
		return err
	}
	s.Export = export.New(a.db, c, files, export.Lists{
		Region: s.Region, Identity: s.Identity, Policy: s.Policy, Reading: s.Reading, Volunteer: s.Volunteer, Casework: s.Casework, Market: s.Market,
		Settlement: s.Settlement, Recourse: s.Recourse, Lookup: s.Lookup,
	}, export.Config{MaxRows: a.cfg.Export.MaxRows, MaxConcurrent: a.cfg.Export.MaxConcurrent, Keep: a.cfg.Export.Keep})
	s.Desk = desk.New(a.db, c)
	settings, err := a.cfg.Settings()
	if err != nil {
		return err
	}
	s.Assurance = assurance.New(assurance.Parts{
		DB: a.db, Clock: c, Settings: settings, Identity: s.Identity, Ledger: s.Ledger, Volunteer: s.Volunteer, Reading: s.Reading,
		Casework: s.Casework, Market: s.Market, Settlement: s.Settlement, Leaderboard: s.Leaderboard,
	})
	return nil
}

func (a *App) newCasework(c clock.Clock, s Services, store blob.Store) (*casework.Service, error) {
	return casework.New(casework.Parts{
		DB: a.db, Clock: c, Policy: s.Policy, Ledger: s.Ledger, Store: store, Checker: a.wechat, Locator: locator{s.Region},
	}, casework.Config{
		DailyReports: a.cfg.Casework.DailyReports, DailyUploads: a.cfg.Casework.DailyUploads, MaxReopens: a.cfg.Casework.MaxReopens,
		DueIn: a.cfg.Casework.DueIn, AutoConfirmAfter: a.cfg.Casework.AutoConfirmAfter, KeepPosition: a.cfg.Casework.KeepCoordinates, KeepOrphans: a.cfg.Files.KeepUnused,
		Picture:   picture.Limits{MaxBytes: a.cfg.Casework.MaxUploadBytes},
		PublicURL: a.publicURL(), LinkSecret: a.cfg.Secrets.FileLink,
	})
}

// locator gives casework the one question that it has about regions.
type locator struct{ regions *region.Service }

// LocateRegion implements casework.Locator.
func (l locator) LocateRegion(ctx context.Context, lon, lat float64) (string, error) {
	r, err := l.regions.Locate(ctx, lon, lat)
	return r.ID, err
}

// purgeBatch is how many sessions one transaction of the purge deletes.
const purgeBatch = 500

// jobServices hands the services' methods to cron.
func (a *App) jobServices() jobs.Services {
	history := schedule.NewHistory(a.db, a.clock, a.cfg.Jobs.KeepHistory)
	return jobs.Services{
		PruneQueue: a.worker.Prune, PruneHistory: history.Prune,
		PurgeSessions: a.purgeSessions,
		ExpireLots:    a.Ledger.ExpireLots,
		NoticeExpiring: func(ctx context.Context) (int, error) {
			return a.Ledger.NoticeExpiring(ctx, a.cfg.Ledger.ExpiryNoticeDays)
		},
		CheckBudgets:      a.Policy.CheckBudgets,
		ExpireAdjustments: a.Recourse.ExpireAdjustments,
		CloseObjections:   a.Recourse.CloseObjections,
		LinkTransfers:     a.Ledger.LinkTransfers, RelinkTransfers: a.Ledger.RelinkTransfers, Seal: a.seal,
		Audit: a.Assurance.Nightly,
		CloseSettlement: func(ctx context.Context) (int, int, error) {
			done, err := a.Settlement.CloseDue(ctx)
			return done.Periods, done.Statements, err
		},
		ConfirmStatements: a.Settlement.ConfirmOverdue,
		ReleaseOrders:     a.Market.ReleaseExpired,
		ExpireReadings:    a.Reading.ExpireSessions,
		ConfirmCases:      a.Casework.AutoConfirm,
		DropPositions:     a.Casework.DropPositions,
		DeleteOrphans:     a.Casework.DeleteOrphans,
		ResubmitImages:    a.Casework.ResubmitImages,
		FinishActivities:  a.Volunteer.FinishActivities,
		DropCoordinates:   a.Volunteer.DropCoordinates,

		BuildLeaderboards: a.Leaderboard.Build, RefreshLeaderboard: a.Leaderboard.RefreshConsents, PruneLeaderboards: a.Leaderboard.Prune,

		PruneMessages: a.Notify.Prune,

		CountDays: a.Insight.CountDays, CountRegions: a.Insight.CountRegions,

		CleanExports:      a.Export.Clean,
		DeleteUnusedMedia: func(ctx context.Context) (int, error) { return a.Media.DeleteUnused(ctx, a.cfg.Files.KeepUnused) },
	}
}

func (a *App) purgeSessions(ctx context.Context) (deleted int, err error) {
	for {
		n, err := a.Identity.PurgeSessions(ctx, authz.System("identity.purge"), purgeBatch)
		deleted += n
		if err != nil || n < purgeBatch {
			return deleted, err
		}
	}
}

// seal says which seal it made, for the run's history.
func (a *App) seal(ctx context.Context) (string, error) {
	seal, err := a.Ledger.Seal(ctx)
	return schedule.Counts{{Name: "seal", N: seal.Number}, {Name: "accounts", N: seal.WalletCount}}.String(), err
}

func (a *App) auditManualRun(_ context.Context, tx *gorm.DB, actor authz.Actor, run schedule.Run) error {
	return a.Identity.RecordTx(tx, identity.AuditEntry{Actor: actor, Action: "job.run", ObjectType: "job", ObjectID: run.Name})
}
