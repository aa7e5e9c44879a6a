package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
)

type evidenceFlags struct {
	config, from, to, office, reason, out string
}

func newAuditEvidenceCommand(std streams) *cobra.Command {
	var flags evidenceFlags
	command := &cobra.Command{
		Use:   "evidence --from DAY --to DAY --out FOLDER --reason TEXT",
		Short: "Put together what was done in a time, for an auditor",
		Long: `Put together what was done from one day to another, both included, into a new
folder: accounts and what changed about them, what was viewed, access in an
emergency with each look that it alone allowed, what was refused, changes of the configuration and of keys, erasures with their proofs,
and the runs of the retention. Each is a file of lines of JSON; summary.md
counts them and says what the verification of the trail proves. Nothing in it
is a client's: submissions are told by their reference. Days are those of UTC,
or of the office that is named.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(flags.reason) == "" {
				return errors.New("--reason is needed: it is written into the audit trail")
			}
			return withParts(cmd.Context(), std, flags.config, config.RoleWorker, func(p *parts) error {
				return p.evidence(cmd.Context(), std, flags)
			})
		},
	}
	addConfigFlag(command, &flags.config)
	addSpanFlags(command, &flags.from, &flags.to, &flags.office)
	command.Flags().StringVar(&flags.reason, "reason", "", "why, for the audit trail")
	command.Flags().StringVarP(&flags.out, "out", "o", "", "the folder to make")
	_ = command.MarkFlagRequired("from")
	_ = command.MarkFlagRequired("to")
	_ = command.MarkFlagRequired("out")
	return command
}

func addSpanFlags(command *cobra.Command, from, to, office *string) {
	command.Flags().StringVar(from, "from", "", "the first day, as 2026-11-23")
	command.Flags().StringVar(to, "to", "", "the last day, included")
	command.Flags().StringVar(office, "office", "", "one office alone")
}

// spanOf reads days, in the time zone of an office if one is named.
func (p *parts) spanOf(from, to, office string) (begin, end time.Time, offices []gateway.OfficeID, err error) {
	zone := time.UTC
	if office != "" {
		named, err := p.officesNamed([]string{office})
		if err != nil {
			return begin, end, nil, err
		}
		offices, zone = named, p.directory.Offices[named[0]].Location
	} else {
		for _, id := range p.config.OfficeIDs() {
			offices = append(offices, gateway.OfficeID(id))
		}
	}
	if from != "" {
		if begin, err = time.ParseInLocation(time.DateOnly, from, zone); err != nil {
			return begin, end, nil, fmt.Errorf("--from %s is no day: write it as 2026-11-23", from)
		}
	}
	end = time.Now()
	if to != "" {
		if end, err = time.ParseInLocation(time.DateOnly, to, zone); err != nil {
			return begin, end, nil, fmt.Errorf("--to %s is no day: write it as 2026-11-23", to)
		}
		end = end.AddDate(0, 0, 1)
	}
	if !begin.Before(end) {
		return begin, end, nil, errors.New("--from is after --to")
	}
	return begin, end, offices, nil
}

// evidenceKinds sort the rows of the trail into files: the first that fits.
var evidenceKinds = []struct {
	file, title string
	fits        func(gateway.AuditRow) bool
}{
	{"emergency", "Access in an emergency, and each look that it alone allowed", func(r gateway.AuditRow) bool {
		return begins("emergency.")(r) || r.Emergency() != ""
	}},
	{"refused", "Refused", func(r gateway.AuditRow) bool { return r.Outcome == gateway.OutcomeDenied }},
	{"accounts-changed", "Accounts, roles and sign-ins", begins("staff.", "account")},
	{"configuration", "Configuration, keys, starts and stops", begins("config.", "office.", "process.")},
	{"retention", "Runs and warnings of the retention, legal holds", begins("retention.", "erasure.", "hold.", "vault.", "audit.pruned")},
	{"erasures", "Erasures with their proofs", begins("twilio.", "submission.erased", "channel.", "message.")},
	{"views", "Viewed, downloaded and handed over", func(r gateway.AuditRow) bool {
		return strings.HasSuffix(string(r.Action), ".viewed") || strings.HasSuffix(string(r.Action), ".downloaded") ||
			begins("audit.", "page.previewed", "page.exported", "submission.exported", "delivery.", "desk.searched")(r)
	}},
	{"other", "Everything else", func(gateway.AuditRow) bool { return true }},
}

func begins(prefixes ...string) func(gateway.AuditRow) bool {
	return func(r gateway.AuditRow) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(string(r.Action), p) {
				return true
			}
		}
		return false
	}
}

// lineFile is a file of lines of JSON, readable by its owner alone.
type lineFile struct {
	file  *os.File
	buf   *bufio.Writer
	lines *json.Encoder
	count int
}

func newLineFile(folder, name string) (*lineFile, error) {
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	buf := bufio.NewWriter(f)
	return &lineFile{file: f, buf: buf, lines: json.NewEncoder(buf)}, nil
}

func (f *lineFile) add(line any) error {
	f.count++
	return f.lines.Encode(line)
}

func (f *lineFile) close() error {
	return errors.Join(f.buf.Flush(), f.file.Sync(), f.file.Close())
}

// newReportFolder makes a folder that was not there: reports are not mixed.
func newReportFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists; name a folder that does not, so that reports are not mixed", path)
	}
	return err
}

// evidence writes its audit row first; the report holds that row too.
func (p *parts) evidence(ctx context.Context, std streams, flags evidenceFlags) error {
	begin, end, offices, err := p.spanOf(flags.from, flags.to, flags.office)
	if err != nil {
		return err
	}
	entry := operatorEntry(gateway.ActionEvidence, "")
	entry.Office = gateway.OfficeID(flags.office)
	entry.Reason = fmt.Sprintf("%s to %s: %s", begin.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339), flags.reason)
	if err := p.records.Append(ctx, entry); err != nil {
		return err
	}
	if err := newReportFolder(flags.out); err != nil {
		return err
	}
	staff, err := p.records.ListStaff(ctx)
	if err != nil {
		return err
	}
	summary := &strings.Builder{}
	fmt.Fprintf(summary, "# Evidence\n\nFrom %s to %s (the end not included), %s.\nReason: %s\n\n", begin.Format(time.RFC3339), end.Format(time.RFC3339), officesWords(flags.office), flags.reason)
	people, err := p.evidenceAccounts(flags, staff, offices, summary)
	if err != nil {
		return err
	}
	query := gateway.AuditQuery{Offices: offices, People: people, Whole: flags.office == "", From: begin, To: end}
	if err := p.evidenceRows(ctx, flags, query, staff, summary); err != nil {
		return err
	}
	proof, err := p.prove(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(summary, "\n## What is proven\n\n%s\n\n%d of %d entries of the whole trail are confirmed by a fingerprint in the vault.\n", proof.Result, proof.Proven, proof.Rows)
	for _, fault := range proof.Faults {
		fmt.Fprintf(summary, "- FAULT: %s\n", fault)
	}
	return writeSummary(std, flags.out, summary.String())
}

// writeSummary puts the words beside the files that they are about, and shows them.
func writeSummary(std streams, folder, words string) error {
	if err := os.WriteFile(filepath.Join(folder, "summary.md"), []byte(words), 0o600); err != nil {
		return err
	}
	_, err := io.WriteString(std.out, words)
	return err
}

func officesWords(office string) string {
	if office == "" {
		return "every office"
	}
	return "office " + office
}

// accountLine is an account as it is now.
type accountLine struct {
	ID       string `json:"id"`
	Login    string `json:"login"`
	Roles    string `json:"roles"`
	Created  string `json:"created"`
	Disabled string `json:"disabled,omitempty"`
}

func (p *parts) evidenceAccounts(flags evidenceFlags, staff []gateway.Staff, offices []gateway.OfficeID, summary io.Writer) (people []gateway.StaffID, err error) {
	file, err := newLineFile(flags.out, "accounts.ndjson")
	if err != nil {
		return nil, err
	}
	for _, s := range staff {
		if flags.office != "" && s.Roles[offices[0]] == nil {
			continue
		}
		people = append(people, s.ID)
		line := accountLine{ID: string(s.ID), Login: s.Login, Roles: s.Roles.String(), Created: stamp(s.CreatedAt), Disabled: stamp(s.DisabledAt)}
		if err := file.add(line); err != nil {
			return nil, errors.Join(err, file.close())
		}
	}
	fmt.Fprintf(summary, "| file | what | lines |\n| --- | --- | ---: |\n| accounts.ndjson | Accounts as they are now | %d |\n", file.count)
	return people, file.close()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func loginsOf(staff []gateway.Staff) map[gateway.StaffID]string {
	logins := map[gateway.StaffID]string{}
	for _, s := range staff {
		logins[s.ID] = s.Login
	}
	return logins
}

func (p *parts) evidenceRows(ctx context.Context, flags evidenceFlags, query gateway.AuditQuery, staff []gateway.Staff, summary io.Writer) (err error) {
	logins := loginsOf(staff)
	files := make([]*lineFile, len(evidenceKinds))
	for i, kind := range evidenceKinds {
		if files[i], err = newLineFile(flags.out, kind.file+".ndjson"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, files[i].close()) }()
	}
	err = gateway.EachAuditRow(ctx, p.records, query, func(rows []gateway.AuditRow) error {
		for _, r := range rows {
			for i, kind := range evidenceKinds {
				if kind.fits(r) {
					if err := files[i].add(gateway.AuditLineOf(r, logins)); err != nil {
						return err
					}
					break
				}
			}
		}
		return nil
	})
	for i, kind := range evidenceKinds {
		fmt.Fprintf(summary, "| %s.ndjson | %s | %d |\n", kind.file, kind.title, files[i].count)
	}
	return err
}
