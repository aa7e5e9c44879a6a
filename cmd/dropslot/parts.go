package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/records"
	"dropslot/gateway/seal"
	"dropslot/gateway/twilio"
	"dropslot/gateway/vault"
	"dropslot/linkstore"
	"dropslot/templates"
)

// parts are what every role and most commands are built from. Whoever opens
// one closes it.
type parts struct {
	config    *config.Config
	log       *slog.Logger
	key       gateway.LinkKey
	directory gateway.Directory
	limits    gateway.Limits
	texts     *templates.Texts
	wording   wording
	phones    *seal.PhoneBook
	words     *seal.WordsBook
	sealer    *seal.Sealer
	records   *records.Store
	vault     *vault.Disk
	archive   *gateway.Archive
	budget    *gateway.Budget
	redis     redis.UniversalClient
	links     *linkstore.Links
	watch     *gateway.Watch // of the desk
	limiter   *linkstore.Limiter
	// deliveries hands papers over; nil but at the desk.
	deliveries *gateway.Deliveries
	teardown   []func() error
}

// newParts builds what needs no disk, no database and no network: everything
// that the file and its keys can get wrong. `dropslot check` builds the same.
func newParts(c *config.Config, log *slog.Logger) (*parts, error) {
	p := &parts{config: c, log: log, directory: directoryOf(c), limits: limitsOf(c)}
	var err error
	if p.key, err = linkKeyOf(c); err != nil {
		return nil, err
	}
	if p.texts, err = templates.LoadTexts(); err != nil {
		return nil, err
	}
	p.wording = wordingOf(p.texts, c)
	if p.phones, err = seal.NewPhoneBook(p.key, rand.Reader); err != nil {
		return nil, err
	}
	if p.words, err = seal.NewWordsBook(p.key, rand.Reader); err != nil {
		return nil, err
	}
	recipients := map[gateway.OfficeID][]string{}
	for id, office := range c.Offices {
		recipients[gateway.OfficeID(id)] = office.RecipientKeys()
	}
	if p.sealer, err = seal.NewSealer(recipients); err != nil {
		return nil, err
	}
	return p, nil
}

// recordsPatience is that of records.Options. Tests whose matter is not the
// speed of a machine allow more.
var recordsPatience time.Duration

// openParts opens the records and the vault; Redis is told apart because the
// commands that work without it must not need it. Only who serves may bring
// the records up to date: any other command may run beside an older Dropslot
// that serves, and keeps them as they are.
func openParts(ctx context.Context, c *config.Config, log *slog.Logger, keep bool) (_ *parts, err error) {
	p, err := newParts(c, log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.vault, err = vault.NewDisk(c.VaultFolder()); err != nil {
		return nil, err
	}
	p.teardown = append(p.teardown, p.vault.Close)
	p.archive = &gateway.Archive{Vault: p.vault, Sealer: p.sealer, Phones: p.phones, Now: time.Now}
	p.records, err = records.Open(ctx, c.Records.URL.Reveal(), records.Options{
		AuditKey: p.key.Subkey(gateway.SubkeyAudit), Now: time.Now, Random: rand.Reader, Keep: keep, Log: log, Patience: recordsPatience,
	})
	if err != nil {
		return nil, err
	}
	p.teardown = append(p.teardown, p.records.Close)
	p.budget = &gateway.Budget{Directory: p.directory, Limits: p.limits, Records: p.records, Now: time.Now}
	p.teardown = append(p.teardown, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		return p.budget.Close(ctx)
	})
	heads := gateway.Heads{Audit: p.records, Vault: p.vault}
	p.teardown = append(p.teardown, func() error { // before the records are closed: teardown runs backwards
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return heads.Save(ctx)
	})
	return p, nil
}

// openRedis connects to Redis and refuses one that may drop keys.
func (p *parts) openRedis(ctx context.Context) error {
	client, err := linkstore.Open(ctx, linkstore.Options{URL: redisURL(p.config.Redis)})
	if err != nil {
		return err
	}
	p.redis = client
	p.teardown = append(p.teardown, client.Close)
	err = linkstore.CheckPolicy(ctx, client)
	if errors.Is(err, linkstore.ErrPolicyUnknown) {
		p.log.Warn(err.Error()) // SQL decides all the same: a lost key costs a look there
	} else if err != nil {
		return err
	}
	if err := linkstore.LoadScripts(ctx, client); err != nil {
		return err
	}
	p.links = linkstore.NewLinks(client)
	p.limiter = linkstore.NewLimiter(client, p.key.Subkey(gateway.SubkeyLimits), time.Now)
	return nil
}

// close undoes what was opened, backwards.
func (p *parts) close() error {
	var failed error
	for i := len(p.teardown) - 1; i >= 0; i-- {
		failed = errors.Join(failed, p.teardown[i]())
	}
	p.teardown = nil
	return failed
}

func linkKeyOf(c *config.Config) (gateway.LinkKey, error) {
	raw, err := c.LinkKeyBytes()
	if err != nil {
		return gateway.LinkKey{}, errors.New("link_key is not base64; make one with: dropslot keygen")
	}
	return gateway.NewLinkKey(raw)
}

func directoryOf(c *config.Config) gateway.Directory {
	var offices []gateway.Office
	for _, id := range c.OfficeIDs() {
		o := c.Offices[id]
		location, err := time.LoadLocation(o.Timezone)
		if err != nil {
			location = time.UTC // the loader checked the name
		}
		offices = append(offices, gateway.Office{
			ID: gateway.OfficeID(id), Name: o.Name, Phone: string(o.Phone), Languages: o.Languages,
			Location: location, Retention: time.Duration(o.Retention), Asks: o.Asks,
			WorkingDays: o.Workdays(), OverdueAfter: o.OverdueAfter,
			LongSide: o.PhotoLongSide, BrowserOnly: o.Sealing == config.BrowserOnly,
			Hooks:                hooksOf(o),
			SecondFactorOptional: o.SecondFactor == config.SecondFactorOptional,
			DailySegments:        int(o.DailySpend / c.Twilio.Price),
			NoDownload:           noDownloadOf(o), Delivery: deliveryOf(o), Emergency: emergencyOf(o),
		})
	}
	var numbers []gateway.NumberRule
	for number, n := range c.Numbers {
		numbers = append(numbers, gateway.NumberRule{
			Number: gateway.Number(number), Office: gateway.OfficeID(n.Office),
			Account: accountOf(c, n), LinkTTL: time.Duration(n.LinkTTL), Pace: time.Duration(n.Pace), MMS: gateway.MMS(n.MMS), Words: n.Words == config.Seal,
		})
	}
	return gateway.NewDirectory(offices, numbers, c.Countries)
}

func accountOf(c *config.Config, n *config.Number) string {
	if n.Account != nil {
		return n.Account.SID
	}
	return c.Twilio.AccountSID
}

// limitsOf lays the file's limits over the defaults.
func limitsOf(c *config.Config) gateway.Limits {
	l, set := gateway.DefaultLimits(), c.Limits
	override(&l.RequestTTL, time.Duration(set.RequestTTL))
	override(&l.SessionIdle, time.Duration(set.SessionIdle))
	override(&l.SessionTotal, time.Duration(set.SessionTotal))
	override(&l.CommitGrace, time.Duration(set.CommitGrace))
	override(&l.LinkKnown, time.Duration(set.LinkKnown))
	override(&l.AnswersPerHour, set.AnswersPerHour)
	override(&l.AnswersPerDay, set.AnswersPerDay)
	override(&l.WordsPause, time.Duration(set.WordsPause))
	override(&l.PictureBurst, time.Duration(set.PictureBurst))
	override(&l.ReplayWindow, time.Duration(set.ReplayWindow))
	override(&l.PageBytes, int64(set.PageSize))
	override(&l.LinkPages, set.LinkPages)
	override(&l.LinkBytes, int64(set.LinkSize))
	override(&l.PagePixels, int64(set.PagePixels))
	override(&l.SweepAge, time.Duration(set.SweepAge))
	override(&l.NumberPerHour, set.NumberPerHour)
	override(&l.AgainPerLink, set.AgainPerLink)
	override(&l.AgainPause, time.Duration(set.AgainPause))
	override(&l.ErasePatience, time.Duration(set.ErasePatience))
	override(&l.UnfinishedWarned, time.Duration(set.UnfinishedWarned))
	override(&l.UnfinishedKept, time.Duration(set.UnfinishedKept))
	override(&l.WarnedLeast, time.Duration(set.WarnedLeast))
	override(&l.RowsKept, time.Duration(set.RowsKept))
	override(&l.AuditKept, time.Duration(set.AuditKept))
	return l
}

func override[T comparable](value *T, set T) {
	var unset T
	if set != unset {
		*value = set
	}
}

// accountsOf gives each Twilio account's tokens, and whose each number is.
func accountsOf(c *config.Config) (map[string][]twilio.AuthToken, map[gateway.Number]string) {
	accounts := map[string][]twilio.AuthToken{c.Twilio.AccountSID: tokens(c.Twilio.AuthTokens)}
	numbers := map[gateway.Number]string{}
	for number, n := range c.Numbers {
		numbers[gateway.Number(number)] = accountOf(c, n)
		if n.Account != nil {
			accounts[n.Account.SID] = tokens(n.Account.AuthTokens)
		}
	}
	return accounts, numbers
}

// servicesOf gives the messaging services that numbers send through.
func servicesOf(c *config.Config) map[gateway.Number]string {
	services := map[gateway.Number]string{}
	for number, n := range c.Numbers {
		if n.MessagingService != "" {
			services[gateway.Number(number)] = n.MessagingService
		}
	}
	return services
}

func tokens(secrets []config.Secret) []twilio.AuthToken {
	out := make([]twilio.AuthToken, 0, len(secrets))
	for _, s := range secrets {
		out = append(out, twilio.NewAuthToken(s.Reveal()))
	}
	return out
}
