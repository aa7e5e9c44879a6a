package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
)

func newJobsCommand(std streams) *cobra.Command {
	var path string
	var all bool
	command := &cobra.Command{
		Use:   "jobs",
		Short: "List the jobs that are dead, failing or waiting; retry or drop them",
		Long: `List the jobs that are dead, failing or waiting. A job that failed is tried
again after 30 seconds, then after longer and longer pauses, for 14 days. Then,
or when no further try can help, it is dead: it stays in this list until you
retry or drop it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBoards(cmd.Context(), std, path, func(b boards) error {
				rows, more, err := b.list(cmd.Context(), all)
				if err != nil {
					return err
				}
				return printJobs(std.out, rows, more, time.Now())
			})
		},
	}
	addConfigFlag(command, &path)
	command.Flags().BoolVar(&all, "all", false, "those that run, are done or were dropped lately too")
	command.AddCommand(newJobsRetryCommand(std), newJobsDropCommand(std))
	return command
}

func newJobsRetryCommand(std streams) *cobra.Command {
	var path, reason string
	var all bool
	command := &cobra.Command{
		Use:   "retry ID… | --all",
		Short: "Let jobs begin now, with all of their tries before them",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if all == (len(ids) > 0) {
				return errors.New("name the jobs to retry, or write --all for every dead and failing one")
			}
			return withBoards(cmd.Context(), std, path, func(b boards) error {
				if all {
					return b.retryAll(cmd.Context(), reason)
				}
				return b.each(cmd.Context(), ids, retried, reason)
			})
		},
	}
	addConfigFlag(command, &path)
	command.Flags().BoolVar(&all, "all", false, "every dead and failing job")
	command.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	return command
}

func newJobsDropCommand(std streams) *cobra.Command {
	var path, reason string
	command := &cobra.Command{
		Use:   "drop ID… --reason REASON",
		Short: "End jobs without their being done",
		Long: `End jobs without their being done. What a delivery left half written at the
partner, the desk takes away: at once, or, if a try was under way, within a
quarter of an hour. What arrived there stays.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, ids []string) error {
			if reason == "" {
				return errors.New("say why with --reason: it goes into the audit trail")
			}
			return withBoards(cmd.Context(), std, path, func(b boards) error {
				return b.each(cmd.Context(), ids, dropped, reason)
			})
		},
	}
	addConfigFlag(command, &path)
	command.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	_ = command.MarkFlagRequired("reason")
	return command
}

// boards are several queues shown as one.
type boards struct {
	audit gateway.AuditTrail
	out   io.Writer
	all   []gateway.JobBoard
}

func withBoards(ctx context.Context, std streams, path string, do func(boards) error) error {
	return withParts(ctx, std, path, config.RoleWorker, func(p *parts) error {
		all, err := p.boards()
		if err != nil {
			return err
		}
		return do(boards{audit: p.records, out: std.out, all: all})
	})
}

func (b boards) list(ctx context.Context, all bool) (rows []gateway.JobRow, more int, err error) {
	for _, board := range b.all {
		some, left, err := board.List(ctx, all)
		if err != nil {
			return nil, 0, err
		}
		rows, more = append(rows, some...), more+left
	}
	return rows, more, nil
}

// retryAll retries every dead and failing job once. A list has a bound: those
// that were retried make room in the next one.
func (b boards) retryAll(ctx context.Context, reason string) error {
	var failed error
	tried := map[string]bool{}
	for {
		rows, more, err := b.list(ctx, false)
		if err != nil {
			return errors.Join(failed, err)
		}
		ids := slices.DeleteFunc(failedOnes(rows), func(id string) bool { return tried[id] })
		if len(ids) > 0 || len(tried) == 0 {
			failed = errors.Join(failed, b.each(ctx, ids, retried, reason))
		}
		if len(ids) == 0 || more == 0 {
			return failed
		}
		for _, id := range ids {
			tried[id] = true
		}
	}
}

func failedOnes(rows []gateway.JobRow) (ids []string) {
	for _, row := range rows {
		if row.State == gateway.JobDead || row.State == gateway.JobFailing {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

// jobAct is what an operator does with one job.
type jobAct struct {
	action gateway.Action
	done   string
	do     func(gateway.JobBoard, context.Context, string) error
}

var (
	retried = jobAct{gateway.ActionJobRetried, "Retried", gateway.JobBoard.Retry}
	dropped = jobAct{gateway.ActionJobDropped, "Dropped", gateway.JobBoard.Drop}
)

// each acts on every job; what fails does not keep it from the others.
func (b boards) each(ctx context.Context, ids []string, act jobAct, reason string) error {
	var failed error
	for _, id := range ids {
		if err := b.one(ctx, id, act, reason); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		_, _ = fmt.Fprintf(b.out, "%s job %s.\n", act.done, id)
	}
	if len(ids) == 0 {
		_, _ = fmt.Fprintln(b.out, "No job is dead or failing.")
	}
	return failed
}

// one writes the audit row before the act, and another one if the act fails.
func (b boards) one(ctx context.Context, id string, act jobAct, reason string) error {
	if !gateway.ValidJobID(id) {
		return errors.New("this is no job's identifier: `dropslot jobs --all` lists them")
	}
	entry := operatorEntry(act.action, "job:"+id)
	entry.Reason = reason
	if err := b.audit.Append(ctx, entry); err != nil {
		return err
	}
	err := error(gateway.NewError(gateway.CodeNotFound, nil))
	for _, board := range b.all {
		if err = act.do(board, ctx, id); !gateway.Is(err, gateway.CodeNotFound) {
			break
		}
	}
	if err == nil {
		return nil
	}
	entry.At, entry.Outcome, entry.Reason = time.Now(), gateway.OutcomeFailed, string(gateway.CodeOf(err))
	err = errors.Join(err, b.audit.Append(ctx, entry))
	switch {
	case gateway.Is(err, gateway.CodeNotFound):
		return unknownJob(id)
	case gateway.Is(err, gateway.CodeForbidden):
		return fmt.Errorf("job %s is under way, done or dropped already: look again with `dropslot jobs --all`", id)
	}
	return err
}

func unknownJob(id string) error {
	return fmt.Errorf("there is no job %q: `dropslot jobs --all` lists them", id)
}

func printJobs(out io.Writer, rows []gateway.JobRow, more int, now time.Time) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(out, "No job is dead, failing or waiting.")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tKIND\tSUBJECT\tSTATE\tTRIES\tNEXT\tSINCE\tFAULT")
	for _, r := range rows {
		next := "-"
		if !r.NextAt.IsZero() {
			next = "now"
			if wait := r.NextAt.Sub(now).Round(time.Second); wait > 0 {
				next = "in " + wait.String()
			}
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", r.ID, r.Kind, r.Subject, r.State, r.Tries, next,
			r.Since.UTC().Format(time.RFC3339), cmp.Or(r.Fault, "-"))
	}
	if err := table.Flush(); err != nil || more == 0 {
		return err
	}
	_, err := fmt.Fprintf(out, "… and %d more that are not listed; the worst are.\n", more)
	return err
}
