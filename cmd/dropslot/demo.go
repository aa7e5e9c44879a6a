package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/seal"
	"dropslot/linkstore"
)

const (
	demoListen  = "127.0.0.1:8088"
	demoOffice  = "north"
	demoLogin   = "demo"
	demoNumber  = "+15551230100"
	demoClient  = "+15551239876"
	demoAccount = "AC00000000000000000000000000000000"
	demoWork    = 10 // log2 of scrypt's cost
)

func newDemoCommand(std streams) *cobra.Command {
	var address string
	command := &cobra.Command{
		Use:   "demo",
		Short: "Try everything on this machine, with a simulated phone and nothing installed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), std, address)
		},
	}
	command.Flags().StringVar(&address, "listen", demoListen,
		"where the simulated phone listens; intake and desk take the next two ports. Any address but loopback is served by https with a self-made certificate")
	return command
}

// demoPlace is where one run of the demo keeps and serves things.
type demoPlace struct {
	dir                 string
	phone, intake, desk string // addresses to listen on
	ops, twilio         string
	phoneURL            string
	intakeURL, deskURL  string
	secure              bool
	password            string // of the demo's caseworker
	authToken           string
}

// demo runs the real server with a fake Twilio in front, in a temporary
// folder that is removed at the end.
func demo(ctx context.Context, std streams, address string) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	place, err := newDemoPlace(address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(place.dir)) }()
	redisAddress, stopRedis, err := linkstore.StartEmbedded()
	if err != nil {
		return err
	}
	defer stopRedis()
	keys, err := newDemoKeys()
	if err != nil {
		return err
	}
	c, err := place.configure(keys, redisAddress)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: slog.LevelError}))
	if err := place.addCaseworker(ctx, c, log); err != nil {
		return err
	}
	phone, err := newDemoPhone(place)
	if err != nil {
		return err
	}
	secure, err := tlsFor(c)
	if err != nil {
		return err
	}
	screen, err := listen("simulated phone", place.phone, phone.handler(), secure, log)
	if err != nil {
		return err
	}
	api, err := listen("simulated Twilio", place.twilio, phone.twilio, nil, log)
	if err != nil {
		return errors.Join(err, screen.listener.Close())
	}
	served := make(chan error, 1)
	go func() {
		defer cancel()
		served <- serve(ctx, c, config.RoleAll, log, rates{figures: time.Minute}) // nobody tries things for an hour
	}()
	if waitReady(ctx, "http://"+place.ops+"/readyz") {
		place.tell(std)
	}
	err = serveAll(ctx, []*server{screen, api}, func(context.Context) {})
	return errors.Join(err, <-served)
}

// newDemoPlace chooses addresses and makes the folder. An address that other
// machines reach is served by https: a camera works nowhere else.
func newDemoPlace(address string) (_ *demoPlace, err error) {
	host, ports, err := demoPorts(address)
	if err != nil {
		return nil, err
	}
	ip := net.ParseIP(host)
	p := &demoPlace{
		secure: host != "localhost" && (ip == nil || !ip.IsLoopback()),
		phone:  net.JoinHostPort(host, ports[0]), intake: net.JoinHostPort(host, ports[1]), desk: net.JoinHostPort(host, ports[2]),
		password: randomWords(), authToken: strings.ToLower(randomText(20)),
	}
	for _, own := range []*string{&p.ops, &p.twilio} {
		if *own, err = freeLoopback(); err != nil {
			return nil, err
		}
	}
	scheme, name := "http://", host
	if p.secure {
		scheme = "https://"
		if ip == nil || ip.IsUnspecified() {
			if name, err = ownAddress(); err != nil {
				return nil, err
			}
		}
	}
	p.phoneURL = scheme + net.JoinHostPort(name, ports[0])
	p.intakeURL = scheme + net.JoinHostPort(name, ports[1])
	p.deskURL = scheme + net.JoinHostPort(name, ports[2])
	if p.dir, err = os.MkdirTemp("", "dropslot-demo-"); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *demoPlace) addCaseworker(ctx context.Context, c *config.Config, log *slog.Logger) (err error) {
	parts, err := openParts(ctx, c, log, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, parts.close()) }()
	passwords, err := seal.NewPasswords(seal.DefaultPasswordCost(), 1, rand.Reader)
	if err != nil {
		return err
	}
	hash, err := passwords.Hash(ctx, p.password)
	if err != nil {
		return err
	}
	now := time.Now()
	id, err := gateway.NewID(now, rand.Reader)
	if err != nil {
		return err
	}
	return parts.records.AddStaff(ctx, gateway.Staff{
		ID: gateway.StaffID(id), Login: demoLogin, PasswordHash: hash, CreatedAt: now,
		Roles: gateway.Roles{demoOffice: gateway.AllRoles()}, // one person tries everything
	}, operatorEntry(gateway.ActionStaffAdded, "staff:"+id))
}

func (p *demoPlace) tell(std streams) {
	_, _ = fmt.Fprintf(std.out, `
Dropslot runs. Open the simulated phone in a browser:

    %s

The desk:  %s   (sign in as %s, password %s)

`, p.phoneURL, p.deskURL, demoLogin, p.password)
	if p.secure {
		_, _ = fmt.Fprintf(std.out, `On a real phone in this network, scan:

%s
The certificate is self-made, so the browser warns that the connection is not
private. Choose "Advanced" and go on: once for the phone, once for the link.
Everyone in this network can use the demo and read its password on that page.

`, qrForTerminal(p.phoneURL))
	}
	_, _ = fmt.Fprintf(std.out, "Everything lies in %s and is removed at the end. Stop with Ctrl+C.\n", p.dir)
}

// waitReady asks until the server is ready or the demo ends.
func waitReady(ctx context.Context, url string) bool {
	client := http.Client{Timeout: time.Second}
	for ctx.Err() == nil {
		answer, err := client.Get(url) // #nosec G107 -- our own address
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return true
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

func randomText(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the process instead
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
}

// randomWords gives a password that is easy to type from a screen: four
// groups of five letters and digits (100 bits).
func randomWords() string {
	text := strings.ToLower(randomText(13))
	return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:20]}, "-")
}
