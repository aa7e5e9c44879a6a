package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dropslot/gateway"
	"dropslot/gateway/jobs"
)

// queue gives the workers of the job queue with the handler of each kind. A
// new kind is a gateway.JobKind beside the flow that does it, a method of
// package records that enqueues it together with its rows, and a line here.
func (p *parts) queue(sendings *gateway.Sendings, leftovers *gateway.Leftovers, notices *gateway.Notices) *jobs.Queue {
	db, dialect := p.records.Queue()
	q := jobs.NewQueue(jobs.Config{DB: db, Dialect: dialect, Log: p.log, Now: time.Now})
	q.Handle(gateway.JobSend, func(ctx context.Context, subject string, _ int) error {
		return sendings.Send(ctx, gateway.SendingID(subject))
	})
	q.Handle(gateway.JobTellPhotos, func(ctx context.Context, subject string, _ int) error {
		return sendings.TellPhotos(ctx, gateway.SubmissionID(subject))
	})
	q.HandleLong(gateway.JobLeftovers, gateway.LeftoversTime, func(ctx context.Context, _ string, _ int) error { return leftovers.Run(ctx) })
	q.Handle(gateway.JobNotice, func(ctx context.Context, subject string, _ int) error { return notices.Send(ctx, subject) })
	q.Handle(gateway.JobNotices, func(ctx context.Context, _ string, _ int) error { return notices.Run(ctx) })
	return q
}

// boards are what `dropslot jobs` and the metrics show: the job queue and the
// rows whose own state is their queue.
func (p *parts) boards() ([]gateway.JobBoard, error) {
	db, dialect := p.records.Queue()
	queue, err := jobs.NewBoard(db, dialect)
	if err != nil {
		return nil, err
	}
	return []gateway.JobBoard{queue, p.records.ChannelBoard(time.Now), p.records.DeliveryBoard(time.Now)}, nil
}

// countJobs keeps the metrics of the boards up to date.
func (p *parts) countJobs(metrics prometheus.Registerer, every time.Duration) jobs.Periodic {
	byState := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "dropslot_jobs", Help: "Jobs that are not done, by kind and state.",
	}, []string{"kind", "state"})
	dead := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "dropslot_jobs_dead", Help: "Jobs that are not tried any more and wait for the operator: see `dropslot jobs`.",
	})
	metrics.MustRegister(byState, dead)
	return jobs.Periodic{Name: "count-jobs", Every: every, Run: func(ctx context.Context) error {
		boards, err := p.boards()
		if err != nil {
			return err
		}
		var all []gateway.JobCount
		for _, board := range boards {
			counts, err := board.Count(ctx)
			if err != nil {
				return err
			}
			all = append(all, counts...)
		}
		byState.Reset()
		deadJobs := 0
		for _, c := range all {
			byState.WithLabelValues(string(c.Kind), string(c.State)).Add(float64(c.Count))
			if c.State == gateway.JobDead {
				deadJobs += c.Count
			}
		}
		dead.Set(float64(deadJobs))
		return nil
	}}
}
