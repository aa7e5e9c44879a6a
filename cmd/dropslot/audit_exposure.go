package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
)

type exposureFlags struct {
	evidenceFlags
	staff, key string
}

func newAuditExposureCommand(std streams) *cobra.Command {
	var flags exposureFlags
	command := &cobra.Command{
		Use:   "exposure (--staff LOGIN | --key FILE | --from DAY) --out FOLDER --reason TEXT",
		Short: "List what was within reach of an account, of a key, or in a time",
		Long: `List what a notice of a breach needs: every submission, by its reference, and
every page that was within reach.

  --staff LOGIN   of an account: what its offices held while it was active, and
                  other offices while it had access in an emergency, and what of
                  that it opened
  --key FILE      of a key: the pages sealed while it was a recipient. FILE holds
                  the recipient (north.pub); its fingerprint does as well, as
                  "office.keys-changed" in the trail tells it
  --from, --to    alone, of whoever could read everything in those days

Phone numbers are not in the report: find a client at the desk by the reference.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(flags.reason) == "" {
				return errors.New("--reason is needed: it is written into the audit trail")
			}
			if flags.staff == "" && flags.key == "" && flags.from == "" {
				return errors.New("say whose reach is meant: --staff, --key, or a time with --from")
			}
			return withParts(cmd.Context(), std, flags.config, config.RoleWorker, func(p *parts) error {
				return p.exposure(cmd.Context(), std, flags)
			})
		},
	}
	addConfigFlag(command, &flags.config)
	addSpanFlags(command, &flags.from, &flags.to, &flags.office)
	command.Flags().StringVar(&flags.staff, "staff", "", "the login of an account")
	command.Flags().StringVar(&flags.key, "key", "", "a file with a recipient, or a key's fingerprint")
	command.Flags().StringVar(&flags.reason, "reason", "", "why, for the audit trail")
	command.Flags().StringVarP(&flags.out, "out", "o", "", "the folder to make")
	command.MarkFlagsMutuallyExclusive("staff", "key")
	_ = command.MarkFlagRequired("out")
	return command
}

// exposed is what a report is about.
type exposed struct {
	title   string
	notes   []string // what the report cannot know, in plain words
	spans   []gateway.Reach
	within  bool // pages that arrived in a span, instead of those that were there
	actor   string
	subject string // for the audit row
}

func (p *parts) exposure(ctx context.Context, std streams, flags exposureFlags) error {
	begin, end, offices, err := p.spanOf(flags.from, flags.to, flags.office)
	if err != nil {
		return err
	}
	what, err := p.exposedBy(ctx, flags, begin, end, offices)
	if err != nil {
		return err
	}
	entry := operatorEntry(gateway.ActionExposure, what.subject)
	entry.Office = gateway.OfficeID(flags.office)
	entry.Reason = what.title + ": " + flags.reason
	if err := p.records.Append(ctx, entry); err != nil {
		return err
	}
	if err := newReportFolder(flags.out); err != nil {
		return err
	}
	opened, err := p.openedBy(ctx, what.actor, begin, end, offices)
	if err != nil {
		return err
	}
	return p.writeExposure(ctx, std, flags, what, opened)
}

func (p *parts) exposedBy(ctx context.Context, flags exposureFlags, begin, end time.Time, offices []gateway.OfficeID) (exposed, error) {
	switch {
	case flags.staff != "":
		return p.exposedToStaff(ctx, strings.ToLower(flags.staff), begin, end, flags.office)
	case flags.key != "":
		return p.exposedToKey(ctx, flags.key, begin, end, offices)
	}
	what := exposed{title: fmt.Sprintf("everything held from %s to %s", stamp(begin), stamp(end))}
	for _, office := range offices {
		what.spans = append(what.spans, gateway.Reach{Office: office, From: begin, To: end})
	}
	return what, nil
}

var officeWord = regexp.MustCompile(`[a-z0-9][a-z0-9_-]*`)

// exposedToStaff takes every office that the account was ever given: the
// trail's rows of the account tell of those that were taken away.
func (p *parts) exposedToStaff(ctx context.Context, login string, begin, end time.Time, only string) (exposed, error) {
	staff, err := p.records.StaffByLogin(ctx, login)
	if gateway.Is(err, gateway.CodeNotFound) {
		return exposed{}, fmt.Errorf("there is no account %q: `dropslot staff list` shows them all", login)
	}
	if err != nil {
		return exposed{}, err
	}
	what := exposed{title: "reach of the account " + login, subject: "staff:" + string(staff.ID), actor: gateway.ActorStaff(staff.ID)}
	from, to := staff.CreatedAt, end
	if begin.After(from) {
		from = begin
	}
	if !staff.DisabledAt.IsZero() && staff.DisabledAt.Before(to) {
		to = staff.DisabledAt
	}
	var ever []gateway.OfficeID
	for _, office := range staff.Roles.Offices() {
		if staff.Roles.Grant(gateway.RightPapers, office) { // of an account that is disabled by now too
			ever = append(ever, office)
		}
	}
	query := gateway.AuditQuery{Offices: p.officeIDs(), Whole: true, Objects: []string{what.subject}}
	err = gateway.EachAuditRow(ctx, p.records, query, func(rows []gateway.AuditRow) error {
		for _, r := range rows {
			if !strings.HasPrefix(string(r.Action), "staff.") {
				continue
			}
			for _, word := range officeWord.FindAllString(r.Reason, -1) {
				id := gateway.OfficeID(word)
				if _, known := p.directory.Offices[id]; known && !slices.Contains(ever, id) {
					ever = append(ever, id)
					what.notes = append(what.notes, fmt.Sprintf("The trail names office %s in a change of this account, which does not open papers there now: it is taken as within reach the whole time.", id))
				}
			}
		}
		return nil
	})
	for _, office := range ever {
		if only == "" || only == string(office) {
			what.spans = append(what.spans, gateway.Reach{Office: office, From: from, To: to})
		}
	}
	return what, errors.Join(err, p.emergencyReach(ctx, &what, staff.ID, begin, end, only))
}

// emergencyReach adds the times in which an account could look at an office's
// papers in an emergency.
func (p *parts) emergencyReach(ctx context.Context, what *exposed, staff gateway.StaffID, begin, end time.Time, only string) error {
	all, err := p.records.EmergenciesOf(ctx, staff)
	for _, e := range all {
		span := gateway.Reach{Office: e.Office, From: e.OpenedAt, To: e.Until}
		if !e.EndedAt.IsZero() && e.EndedAt.Before(e.Until) {
			span.To = e.EndedAt
		}
		if begin.After(span.From) {
			span.From = begin
		}
		if end.Before(span.To) {
			span.To = end
		}
		if !span.From.Before(span.To) || only != "" && only != string(e.Office) {
			continue
		}
		what.spans = append(what.spans, span)
		what.notes = append(what.notes, fmt.Sprintf("From %s to %s the account could look at the papers of office %s in an emergency (%s).", stamp(span.From), stamp(span.To), e.Office, e.ID))
	}
	return err
}

func (p *parts) officeIDs() []gateway.OfficeID {
	var ids []gateway.OfficeID
	for _, id := range p.config.OfficeIDs() {
		ids = append(ids, gateway.OfficeID(id))
	}
	return ids
}

var fingerprintPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// fingerprintOf names a recipient: hex of its SHA-256.
func fingerprintOf(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	return hex.EncodeToString(sum[:])
}

// keyNamed reads a file with a recipient, or a fingerprint, whole or as the
// trail shortens it.
func (p *parts) keyNamed(ctx context.Context, text string) (string, error) {
	if fingerprintPattern.MatchString(text) {
		return text, nil
	}
	content, err := os.ReadFile(text) // #nosec G304 -- the operator names the file
	if errors.Is(err, os.ErrNotExist) && regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(text) {
		return p.records.KeyByStart(ctx, text)
	}
	if err != nil {
		return "", fmt.Errorf("--key is neither a fingerprint nor a file: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "age1") {
			return fingerprintOf(line), nil
		}
	}
	return "", fmt.Errorf("%s holds no recipient: name the file with the line that begins with age1, such as north.pub", text)
}

func (p *parts) exposedToKey(ctx context.Context, key string, begin, end time.Time, offices []gateway.OfficeID) (exposed, error) {
	fingerprint, err := p.keyNamed(ctx, key)
	if err != nil {
		return exposed{}, err
	}
	times, err := p.records.KeyTimes(ctx, fingerprint)
	if err != nil {
		return exposed{}, err
	}
	if len(times) == 0 {
		return exposed{}, fmt.Errorf("no office ever sealed to the key %s…, as far as was recorded: check the file", fingerprint[:16])
	}
	what := exposed{title: "pages sealed to the key " + fingerprint[:16], subject: "key:" + fingerprint[:16], within: true, notes: []string{
		"Which key a page was sealed to is known by the times in which its office had that key: a sealed file does not tell.",
		fmt.Sprintf("A page that was open in a client's browser when a key was taken away could still seal to it: %s are added to the end of each time.", p.limits.SessionTotal),
		"Names, words and manifests of these submissions were sealed to the same key.",
	}}
	for _, t := range times {
		if !slices.Contains(offices, t.Office) {
			continue
		}
		span := gateway.Reach{Office: t.Office, From: t.Since, To: end}
		if t.Since.IsZero() {
			what.notes = append(what.notes, fmt.Sprintf("When office %s began to use this key was not recorded: its earliest pages are taken as sealed to it.", t.Office))
		}
		if begin.After(span.From) {
			span.From = begin
		}
		if last := t.Until.Add(p.limits.SessionTotal); !t.Until.IsZero() && last.Before(end) {
			span.To = last
		}
		what.spans = append(what.spans, span)
	}
	return what, nil
}

// openedBy gives what an account opened, by thing: the actions, newest first.
func (p *parts) openedBy(ctx context.Context, actor string, begin, end time.Time, offices []gateway.OfficeID) (map[string][]openLine, error) {
	opened := map[string][]openLine{}
	if actor == "" {
		return opened, nil
	}
	query := gateway.AuditQuery{Offices: offices, Whole: true, Actor: actor, Outcome: gateway.OutcomeDone, From: begin, To: end}
	return opened, gateway.EachAuditRow(ctx, p.records, query, func(rows []gateway.AuditRow) error {
		for _, r := range rows {
			if r.Object != "" {
				opened[r.Object] = append(opened[r.Object], openLine{stamp(r.At), string(r.Action), r.From, string(r.Emergency())})
			}
		}
		return nil
	})
}
