package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/jobs"
)

// channelEvery is how often the worker looks for texts to seal and erase. A
// turn works until nothing is due.
const channelEvery = time.Second

// remindEvery is how often links are looked at that nobody opened.
const remindEvery = 5 * time.Minute

// tending is what the worker does about what lies at Twilio, about links that
// nobody opened, and about the texts that Dropslot sends by itself.
type tending struct {
	parts     *parts
	channel   *gateway.Channel
	sendings  *gateway.Sendings
	leftovers *gateway.Leftovers
	notices   *gateway.Notices
}

// tend builds the worker's flows, or nil for a role that does not work.
func (p *parts) tend(role config.Role) (*tending, error) {
	if role != config.RoleWorker && role != config.RoleAll {
		return nil, nil
	}
	messages, err := p.texter()
	if err != nil {
		return nil, err
	}
	sendings, err := p.sendings()
	if err != nil {
		return nil, err
	}
	notices, err := p.notices()
	if err != nil {
		return nil, err
	}
	return &tending{
		parts: p, sendings: sendings, notices: notices,
		channel: &gateway.Channel{
			Directory: p.directory, Limits: p.limits, Records: p.records, Twilio: messages, Vault: p.vault, Sealer: p.sealer,
			Archive: p.archive, SameKey: p.key.Subkey(gateway.SubkeyPages), Now: time.Now, Random: rand.Reader, Log: p.log,
		},
		leftovers: &gateway.Leftovers{
			Directory: p.directory, Limits: p.limits, Records: p.records, Twilio: messages, Phones: p.phones, Now: time.Now,
			NewID: func(now time.Time) (string, error) { return gateway.NewID(now, rand.Reader) },
		},
	}, nil
}

// periodic is the part of it that the clock asks for.
func (t *tending) periodic(pace rates, metrics prometheus.Registerer) []jobs.Periodic {
	gauges := newChannelGauges(metrics)
	return []jobs.Periodic{
		{Name: "channel", Every: channelEvery, Run: t.channel.Run},
		{Name: "remind", Every: remindEvery, Run: t.sendings.Remind},
		{Name: "waiting", Every: pace.expire, Run: func(ctx context.Context) error { return gauges.look(ctx, t.parts) }},
		{Name: "leftovers", Every: leftoversEvery, Run: func(ctx context.Context) error {
			return t.parts.records.Enqueue(ctx, gateway.LeftoversJob(time.Now().Add(leftoversDelay)))
		}},
	}
}

const (
	// leftoversEvery makes sure that a daily look at Twilio is asked for, should
	// its chain of jobs have been dropped; one that waits already is enough.
	leftoversEvery = 12 * time.Hour
	// leftoversDelay lets a start settle first.
	leftoversDelay = 10 * time.Minute
)

// channelGauges shows what still lies at Twilio and what is spent, as they were
// when last looked at.
type channelGauges struct {
	waiting *prometheus.GaugeVec
	oldest  prometheus.Gauge
	spent   *prometheus.GaugeVec
}

func newChannelGauges(metrics prometheus.Registerer) channelGauges {
	g := channelGauges{
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dropslot_twilio_waiting", Help: "Messages whose content still lies at Twilio: texts, outgoing, dead (given up); unknown counts sendings that may or may not have been sent.",
		}, []string{"what"}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dropslot_twilio_oldest_seconds", Help: "Age of the oldest message whose content still lies at Twilio; 0 if none does.",
		}),
		spent: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dropslot_office_spend_ratio", Help: "What is granted of an office's daily ceiling for texts, from 0 to 1.",
		}, []string{"office"}),
	}
	metrics.MustRegister(g.waiting, g.oldest, g.spent)
	return g
}

// look refreshes the gauges.
func (g channelGauges) look(ctx context.Context, p *parts) error {
	w, err := p.records.Waiting(ctx, time.Now())
	if err != nil {
		return err
	}
	for what, n := range map[string]int64{"texts": w.Texts, "outgoing": w.Outgoing, "dead": w.Dead, "unknown": w.Unknown} {
		g.waiting.WithLabelValues(what).Set(float64(n))
	}
	age := 0.0
	if !w.Oldest.IsZero() {
		age = time.Since(w.Oldest).Seconds()
	}
	g.oldest.Set(age)
	for id, office := range p.directory.Offices {
		spent, err := p.records.Spent(ctx, gateway.OfficeScope(id), gateway.Midnight(time.Now(), office.Location))
		if err != nil {
			return err
		}
		g.spent.WithLabelValues(string(id)).Set(float64(spent) / float64(office.DailySegments))
	}
	return nil
}
