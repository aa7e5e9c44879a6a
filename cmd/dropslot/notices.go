package main

import (
	"crypto/rand"
	"time"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/notify"
)

// notices builds the flow that tells caseworkers and other systems.
func (p *parts) notices() (*gateway.Notices, error) {
	hooks, err := hookAddresses(p.config)
	if err != nil {
		return nil, err
	}
	n := &gateway.Notices{
		Directory: p.directory, Records: p.records, Poster: notify.NewPoster(hooks, time.Now), DeskURL: p.config.DeskURL,
		Now: time.Now, Random: rand.Reader, Log: p.log,
	}
	mailer, err := mailerOf(p.config)
	if mailer != nil { // a nil *Mailer is no nil Mailer
		n.Mailer = mailer
	}
	return n, err
}

// mailerOf gives what sends e-mail, nil if the file names no server.
func mailerOf(c *config.Config) (*notify.Mailer, error) {
	s := c.SMTP
	if s == nil {
		return nil, nil
	}
	return notify.NewMailer(notify.MailConfig{
		Host: s.Host, Port: s.Port, TLS: s.TLS, Username: s.Username, Password: revealed(s.Password), From: s.From,
	})
}

func hookAddresses(c *config.Config) (map[gateway.NoticeTarget]notify.Hook, error) {
	hooks := map[gateway.NoticeTarget]notify.Hook{}
	for id, office := range c.Offices {
		for name, hook := range office.Webhooks {
			key, err := hook.Key()
			if err != nil {
				return nil, err
			}
			hooks[gateway.HookTarget(gateway.OfficeID(id), name)] = notify.Hook{URL: hook.URL, Secret: key}
		}
	}
	return hooks, nil
}

func hooksOf(o *config.Office) (hooks []gateway.Hook) {
	for name, hook := range o.Webhooks {
		h := gateway.Hook{Name: name}
		for _, event := range hook.Events {
			h.Events = append(h.Events, gateway.NoticeEvent(event))
		}
		hooks = append(hooks, h)
	}
	return hooks
}
