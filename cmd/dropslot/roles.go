package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/jobs"
	"dropslot/gateway/paper"
	"dropslot/gateway/seal"
	"dropslot/gateway/twilio"
	"dropslot/gateway/web"
	"dropslot/linkstore"
	"dropslot/templates"
)

// channel reads Twilio's webhooks.
func (p *parts) channel() (*twilio.Channel, error) {
	accounts, numbers := accountsOf(p.config)
	return twilio.NewChannel(twilio.Config{
		PublicURL: p.config.PublicURL, Accounts: accounts, Numbers: numbers, Now: time.Now,
	})
}

// texter sends texts through Twilio.
func (p *parts) texter() (*twilio.Client, error) { return twilioClient(p.config) }

func twilioClient(c *config.Config) (*twilio.Client, error) {
	accounts, numbers := accountsOf(c)
	return twilio.NewClient(twilio.ClientConfig{
		Accounts: accounts, Numbers: numbers, Services: servicesOf(c), APIURL: c.Twilio.APIURL,
	})
}

// intake builds the public side. It holds nothing that opens a document.
func (p *parts) intake(pages *templates.Pages, metrics prometheus.Registerer) (http.Handler, error) {
	channel, err := p.channel()
	if err != nil {
		return nil, err
	}
	sendings, err := p.sendings()
	if err != nil {
		return nil, err
	}
	return web.NewIntake(web.IntakeParts{
		Channel: channel,
		Inbound: &gateway.Inbound{
			Directory: p.directory, Limits: p.limits, Records: p.records, Links: p.links, Phones: p.phones,
			Mint: gateway.NewTokenMint(p.key), Wording: p.wording, WordsKey: p.key.Subkey(gateway.SubkeyWords), Budget: p.budget, PublicURL: p.config.PublicURL,
			Now: time.Now, Random: rand.Reader,
		},
		Claims: &gateway.Claims{
			Directory: p.directory, Limits: p.limits, Records: p.records, Links: p.links, Archive: p.archive,
			Sendings: sendings, Now: time.Now, Random: rand.Reader,
		},
		Uploads: &gateway.Uploads{
			Directory: p.directory, Limits: p.limits, Records: p.records, Links: p.links, Vault: p.vault,
			Sealer: p.sealer, Archive: p.archive, Words: p.words, SameKey: p.key.Subkey(gateway.SubkeyPages),
			Now: time.Now, Random: rand.Reader, Log: p.log,
		},
		Recipients: p.sealer.Recipients, Directory: p.directory, Limits: p.limits, Limiter: p.limiter, Pages: pages, Words: p.texts,
		Static: templates.StaticHandler(), PublicURL: p.config.PublicURL, TrustedProxies: p.config.Proxies(),
		Now: time.Now, Random: rand.Reader, Log: p.log, Metrics: metrics,
	})
}

// desk builds the caseworkers' side, the only one with identities.
func (p *parts) desk(pages *templates.Pages, opener *seal.Opener, pace rates, metrics prometheus.Registerer) (http.Handler, error) {
	signIns, err := p.signIns()
	if err != nil {
		return nil, err
	}
	requests, err := p.requests()
	if err != nil {
		return nil, err
	}
	opened := &gateway.Opened{}
	p.watch = &gateway.Watch{Records: p.records, Log: p.log}
	flow := &gateway.Desk{
		Directory: p.directory, Limits: p.limits, Records: p.records, Audit: p.records, Vault: p.vault,
		Opener: opener, Opened: opened, Phones: p.phones, Emergencies: p.records, Shrinker: paper.NewShrinker(), Now: time.Now,
	}
	if flow.Scanner, err = p.scanner(); err != nil {
		return nil, err
	}
	handoff := p.handoff(flow)
	if p.deliveries, err = p.delivering(handoff); err != nil {
		return nil, err
	}
	return web.NewDesk(web.DeskParts{
		Desk: flow, Handoff: handoff, Deliveries: p.deliveries, Random: rand.Reader,
		Threads: &gateway.Threads{
			Directory: p.directory, Records: p.records, Audit: p.records, Sealer: p.sealer, Opener: opener, Opened: opened,
			Phones: p.phones, Blind: gateway.NewBlind(p.key), Now: time.Now,
		},
		Changes:  p.watch,
		Requests: requests,
		Notices:  &gateway.NoticeDesk{Directory: p.directory, Records: p.records, Now: time.Now}, Mails: p.config.SMTP != nil,
		Holds:   &gateway.Holds{Desk: flow, Records: p.records, Archive: p.archive},
		SignIns: signIns, Emergencies: p.emergencies(opener), SSO: p.ssoName(),
		Audits: p.audits(), Figures: p.figures(pace.figures), FiguresEvery: pace.figures,
		Accounts: p.accounts(),
		Sessions: linkstore.NewSessions(p.redis), Pages: pages, Static: templates.StaticHandler(),
		Directory: p.directory, ParsePhone: phoneParser(p.config.Countries),
		AskName:      p.askName,
		LanguageName: p.languageName,
		URL:          p.config.DeskURL, TrustedProxies: p.config.Proxies(),
		Idle: time.Duration(p.config.Limits.DeskIdle), Total: time.Duration(p.config.Limits.DeskTotal),
		Now: time.Now, Log: p.log, Metrics: metrics,
	})
}

func (p *parts) languageName(tag string) string {
	for _, language := range p.texts.Languages() {
		if language.Tag == tag {
			return language.Name
		}
	}
	return tag
}

// requests builds the flow of links that staff send, for the desk and for
// `dropslot link send`.
func (p *parts) requests() (*gateway.Requests, error) {
	sendings, err := p.sendings()
	if err != nil {
		return nil, err
	}
	return &gateway.Requests{
		Directory: p.directory, Limits: p.limits, Records: p.records, Audit: p.records, Links: p.links, Phones: p.phones,
		Mint: gateway.NewTokenMint(p.key), Sendings: sendings, Sealer: p.sealer, Words: p.words,
		Now: time.Now, Random: rand.Reader, Log: p.log,
	}, nil
}

// sendings builds the flow of the texts that Dropslot sends by itself.
func (p *parts) sendings() (*gateway.Sendings, error) {
	texter, err := p.texter()
	if err != nil {
		return nil, err
	}
	return &gateway.Sendings{
		Directory: p.directory, Limits: p.limits, Records: p.records, Links: p.links, Phones: p.phones,
		Mint: gateway.NewTokenMint(p.key), Wording: p.wording, Texter: texter, Budget: p.budget, Limiter: p.limiter,
		PublicURL: p.config.PublicURL, Now: time.Now, Random: rand.Reader, Log: p.log,
	}, nil
}

// ops builds the operator's side: health and metrics.
func (p *parts) ops(metrics *prometheus.Registry) http.Handler {
	return web.NewOps(web.OpsParts{Metrics: metrics, Log: p.log, Checks: map[string]func(context.Context) error{
		"redis":   func(ctx context.Context) error { return p.redis.Ping(ctx).Err() },
		"records": p.records.Ping,
		"vault":   p.vault.Ready,
	}})
}

// work does what the clock asks for: every process keeps the head of its own
// audit chain, the worker tends to the rest.
func (p *parts) work(ctx context.Context, role config.Role, pace rates, metrics prometheus.Registerer, tending *tending) {
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dropslot_periodic_failures_total", Help: "Periodic work that failed, by name.",
	}, []string{"work"})
	metrics.MustRegister(failures)
	heads := &gateway.Heads{Audit: p.records, Vault: p.vault}
	all := []jobs.Periodic{{Name: "audit-heads", Every: pace.heads, Run: heads.Save}}
	if p.deliveries != nil {
		for _, office := range p.deliveries.Offices() {
			all = append(all, jobs.Periodic{Name: "deliver", Every: pace.deliver, Run: func(ctx context.Context) error {
				return p.deliveries.Run(ctx, office)
			}})
		}
	}
	var workers sync.WaitGroup
	if role == config.RoleWorker || role == config.RoleAll {
		tend := &gateway.House{
			Limits: p.limits, Records: p.records, Audit: p.records, Vault: p.vault, Archive: p.archive,
			Now: time.Now,
		}
		all = append(all,
			jobs.Periodic{Name: "expire", Every: pace.expire, Run: tend.Expire},
			jobs.Periodic{Name: "archive", Every: pace.expire, Run: tend.ArchiveEnded},
			jobs.Periodic{Name: "sweep", Every: pace.sweep, Run: tend.Sweep},
			p.countFigures(pace.figures),
			jobs.Periodic{Name: "notices", Every: pace.expire, Run: tending.notices.Run},
			jobs.Periodic{Name: "retention", Every: pace.sweep, Run: p.retention().Run},
			jobs.Periodic{Name: "emergencies", Every: pace.expire, Run: p.emergencies(nil).Settle},
			p.countJobs(metrics, pace.expire),
		)
		all = append(all, tending.periodic(pace, metrics)...)
		queue := p.queue(tending.sendings, tending.leftovers, tending.notices)
		workers.Go(func() {
			if err := queue.Run(ctx); err != nil {
				p.log.ErrorContext(ctx, "the job queue ended with an error", slog.Any("error", err))
			}
		})
	}
	jobs.Run(ctx, p.log, func(name string, err error) {
		if err != nil {
			failures.WithLabelValues(name).Inc()
		}
	}, all...)
	workers.Wait()
}

func (p *parts) tellLife(ctx context.Context, role config.Role, action gateway.Action) error {
	return p.records.Append(ctx, gateway.AuditEntry{
		At: time.Now(), Actor: gateway.ActorRole(string(role)), Action: action, Outcome: gateway.OutcomeDone,
	})
}

// serveAll serves and works until ctx ends or a listener fails, then lets
// requests finish before the work stops.
func serveAll(ctx context.Context, servers []*server, work func(context.Context)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	failed := make(chan error, len(servers))
	var all sync.WaitGroup
	all.Go(func() { work(working) })
	for _, s := range servers {
		all.Go(func() {
			if err := s.serve(); err != nil {
				failed <- err
				cancel()
			}
		})
	}
	<-ctx.Done()
	ended := make(chan error, len(servers))
	for _, s := range servers {
		go func() { ended <- s.stop() }()
	}
	var err error
	for range servers {
		err = errors.Join(err, <-ended)
	}
	stopWork()
	all.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}
