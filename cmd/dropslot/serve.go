package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/templates"
)

// The names of the listeners in logs and errors.
const (
	intakeName = "intake"
	deskName   = "desk"
	opsName    = "ops"
)

func newServeCommand(std streams) *cobra.Command {
	var path, role string
	var ops config.Address
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway: intake, desk and worker, or one of them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewJSONHandler(std.err, nil))
			which, err := config.ParseRole(role)
			if err != nil {
				return err
			}
			c, err := loadConfig(std, path, which, config.WithOps(ops))
			if err != nil {
				return err
			}
			for _, warning := range c.Warnings.Lines() {
				log.Warn(warning)
			}
			return serve(cmd.Context(), c, which, log, rates{})
		},
	}
	command.Flags().StringVarP(&path, "config", "c", "", "the configuration file")
	command.Flags().StringVar(&role, "role", string(config.RoleAll), "intake, desk, worker or all")
	command.Flags().Var((*addressFlag)(&ops), "ops", "the address for health and metrics instead of listen.ops: each role on one machine needs its own")
	_ = command.MarkFlagRequired("config")
	return command
}

// addressFlag is an address on the command line, checked like one in the file.
type addressFlag config.Address

func (f *addressFlag) String() string { return string(*f) }
func (*addressFlag) Type() string     { return "address" }

// Set takes what was written.
func (f *addressFlag) Set(text string) error {
	address, err := config.ParseAddress(text)
	*f = addressFlag(address)
	return err
}

// loadConfig loads a file for a role and prints every fault it has.
func loadConfig(std streams, path string, role config.Role, options ...config.Option) (*config.Config, error) {
	texts, err := templates.LoadTexts()
	if err != nil {
		return nil, err
	}
	c, err := config.Load(path, role, append(options, config.WithCatalog(texts))...)
	if faults, ok := errors.AsType[config.Faults](err); ok {
		for _, line := range faults.Lines() {
			_, _ = fmt.Fprintln(std.err, line)
		}
		return nil, errSilent
	}
	return c, err
}

// rates are how often the periodic work is done; zero means the defaults.
type rates struct{ heads, expire, sweep, deliver, figures time.Duration }

func (r rates) orDefault() rates {
	return rates{
		heads: cmp.Or(r.heads, time.Minute), expire: cmp.Or(r.expire, 30*time.Second), sweep: cmp.Or(r.sweep, time.Hour),
		deliver: cmp.Or(r.deliver, 5*time.Second), figures: cmp.Or(r.figures, time.Hour),
	}
}

// serve is all the wiring of a running process: it opens the parts, builds
// what the role needs, serves until ctx ends, and tears down backwards.
func serve(ctx context.Context, c *config.Config, role config.Role, log *slog.Logger, pace rates) (err error) {
	if role == config.RoleAll {
		log.Warn("role all: the key that opens documents is on the machine that faces the internet; for a trial only, run intake and desk apart for real use")
	}
	p, err := openParts(ctx, c, log, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.openRedis(ctx); err != nil {
		return err
	}
	pages, err := templates.LoadPages(p.texts)
	if err != nil {
		return err
	}
	secure, err := tlsFor(c)
	if err != nil {
		return err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	var servers []*server
	if role.TakesPages() {
		handler, err := p.intake(pages, metrics)
		if err != nil {
			return err
		}
		s, err := listen(intakeName, string(c.Listen.Intake), handler, secure, log)
		if err != nil {
			return err
		}
		servers = append(servers, s)
	}
	if role.OpensPages() {
		opener, err := openIdentities(c)
		if err != nil {
			return err
		}
		handler, err := p.desk(pages, opener, pace.orDefault(), metrics)
		if err != nil {
			return err
		}
		s, err := listen(deskName, string(c.Listen.Desk), handler, secure, log)
		if err != nil {
			return err
		}
		s.http.RegisterOnShutdown(p.watch.Close)
		servers = append(servers, s)
	}
	tending, err := p.tend(role)
	if err != nil {
		return err
	}
	ops, err := listen(opsName, string(c.Listen.Ops), p.ops(metrics), nil, log)
	if err != nil {
		return err
	}
	servers = append(servers, ops)

	if err := p.tellLife(ctx, role, gateway.ActionStarted); err != nil {
		return err
	}
	if err := p.tellConfiguration(ctx, role); err != nil {
		return err
	}
	err = serveAll(ctx, servers, func(ctx context.Context) { p.work(ctx, role, pace.orDefault(), metrics, tending) })
	stopping, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(err, p.tellLife(stopping, role, gateway.ActionStopped))
}
