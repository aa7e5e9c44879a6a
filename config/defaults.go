package config

import (
	"path/filepath"
	"strings"
	"time"
)

func orDefault[T comparable](value *T, standard T) {
	var zero T
	if *value == zero {
		*value = standard
	}
}

// fillDefaults sets what the file leaves out. The limits of the flows have
// their defaults in package gateway and stay zero here; link_ttl, which each
// number inherits, and the desk's are nobody else's.
func (c *Config) fillDefaults() {
	orDefault(&c.Listen.Intake, ":8080")
	orDefault(&c.Listen.Desk, "127.0.0.1:8081")
	orDefault(&c.Listen.Ops, "127.0.0.1:9090")
	orDefault(&c.TLS.Mode, TLSOff)
	if !c.Records.URL.named() {
		c.Records.URL.Secret = NewSecret("sqlite:records.db")
	}
	orDefault(&c.Vault.URL, "file:vault")
	if c.Countries == nil {
		c.Countries = []string{"US", "CA"}
	}
	orDefault(&c.Twilio.Price, 11_300)
	if s := c.SMTP; s != nil {
		orDefault(&s.TLS, SMTPStartTLS)
		if s.TLS == SMTPTLS {
			orDefault(&s.Port, 465)
		}
		orDefault(&s.Port, 587)
	}
	if s := c.SingleSignOn; s != nil {
		orDefault(&s.Name, "your organization")
		orDefault(&s.GroupsClaim, "groups")
	}
	for _, office := range c.Offices {
		for _, hook := range office.Webhooks {
			if hook.Events == nil {
				hook.Events = noticeEvents
			}
		}
		if office.Languages == nil {
			office.Languages = []string{"en", "es"}
		}
		if office.Asks == nil {
			office.Asks = []string{"photo-id", "pay-stub", "benefit-letter", "other"}
		}
		orDefault(&office.PhotoLongSide, 2400)
		orDefault(&office.Sealing, BrowserOrServer)
		orDefault(&office.SecondFactor, SecondFactorRequired)
		orDefault(&office.Timezone, "America/New_York")
		if office.WorkingDays == nil {
			office.WorkingDays = []string{"mon", "tue", "wed", "thu", "fri"}
		}
		orDefault(&office.OverdueAfter, 2)
		orDefault(&office.DailySpend, 25*dollar)
		orDefault(&office.Retention, Duration(90*24*time.Hour))
		if e := office.EmergencyAccess; e != nil {
			orDefault(&e.For, Duration(time.Hour))
		}
		if d := office.Deliver; d != nil {
			orDefault(&d.Form, FormPDF)
			if d.Host != "" && !strings.Contains(d.Host, ":") {
				d.Host += ":22"
			}
		}
	}
	orDefault(&c.Limits.LinkTTL, Duration(4*time.Hour))
	orDefault(&c.Limits.DeskIdle, Duration(15*time.Minute))
	orDefault(&c.Limits.DeskTotal, Duration(12*time.Hour))
	for _, number := range c.Numbers {
		orDefault(&number.MMS, Seal)
		orDefault(&number.Words, Seal)
		orDefault(&number.LinkTTL, c.Limits.LinkTTL)
		orDefault(&number.Pace, Duration(time.Second))
	}
}

// makeAbsolute makes every path start at the root: a relative data_dir starts
// at the folder of the file, all others at data_dir.
func (c *Config) makeAbsolute(folder string) {
	if c.DataDir != "" {
		c.DataDir = absolute(folder, c.DataDir)
	}
	for _, file := range []*string{&c.TLS.Cert, &c.TLS.Key} {
		*file = absolute(c.DataDir, *file)
	}
	for _, office := range c.Offices {
		office.Identity.File = absolute(c.DataDir, office.Identity.File)
		if office.Deliver != nil {
			office.Deliver.SealTo = absolute(c.DataDir, office.Deliver.SealTo)
		}
		for i := range office.Recipients {
			office.Recipients[i].File = absolute(c.DataDir, office.Recipients[i].File)
		}
	}
	if rest, ok := strings.CutPrefix(c.Vault.URL, "file:"); ok && rest != "" {
		c.Vault.URL = "file:" + absolute(c.DataDir, rest)
	}
}

func absolute(folder, file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(folder, file)
}

// VaultFolder gives the folder of a file: vault.
func (c *Config) VaultFolder() string { return strings.TrimPrefix(c.Vault.URL, "file:") }
