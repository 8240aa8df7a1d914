// mcp-trade runs: the runs in the queue, from any machine.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/agent/runner"
	"mcp-trade/store"
)

func runsCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List, show, pause, resume and stop the runs in the queue",
		Long:  "List, show, pause, resume and stop the runs that 'mcp-trade run --queue' put into the queue, from any machine with the same Redis.",
	}
	list := &cobra.Command{
		Use: "list", Short: "List the runs, and the workers that are there", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.withQueue(func(q store.Queue) error { return s.listRuns(cmd, q) })
		},
	}
	show := &cobra.Command{
		Use: "show RUN", Short: "Show how the accounts of a run stand", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.withQueue(func(q store.Queue) error { return s.showRun(cmd, q, args[0]) })
		},
	}
	cmd.AddCommand(list, show)
	for _, c := range []struct {
		name, does, done string
		state            store.RunState
	}{
		{"pause", "Pause a run: its accounts stop behind their order under way", "paused; go on with: mcp-trade runs resume", store.RunPaused},
		{"resume", "Go on with a run that was paused or stopped", "running", store.RunRunning},
		{"stop", "Stop a run: its accounts stop behind their order under way", "stopped; go on with: mcp-trade runs resume", store.RunStopped},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: c.name + " RUN", Short: c.does, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return s.withQueue(func(q store.Queue) error {
					ok, err := q.Control(cmd.Context(), args[0], c.state)
					if err == nil && !ok {
						err = fmt.Errorf("there is no run %q that has not ended; 'mcp-trade runs list' has all", args[0])
					}
					if err == nil {
						fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", args[0], c.done)
					}
					return err
				})
			},
		})
	}
	return cmd
}

// withQueue opens the queue for a while.
func (s *settings) withQueue(do func(store.Queue) error) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	q, err := s.queue(r)
	if err != nil {
		return err
	}
	return do(q)
}

// listedRun is a run as it is listed.
type listedRun struct {
	Run      string         `json:"run"`
	State    store.RunState `json:"state"`
	Accounts int            `json:"accounts"`
	Left     int            `json:"accounts_left"`
	Priority string         `json:"priority"`
	Lockstep bool           `json:"lockstep"`
	Created  time.Time      `json:"created"`
}

func (s *settings) listRuns(cmd *cobra.Command, q store.Queue) error {
	runs, err := q.Runs(cmd.Context())
	if err != nil {
		return err
	}
	workers, err := q.Workers(cmd.Context())
	if err != nil {
		return err
	}
	listed := []listedRun{}
	for _, r := range runs {
		listed = append(listed, listedRun{r.ID, r.State, r.Accounts, r.Left, r.Priority, r.Lockstep, r.Created.UTC()})
	}
	if s.json {
		return printJSON(cmd.OutOrStdout(), map[string]any{"runs": listed, "workers": append([]string{}, workers...)})
	}
	w := cmd.OutOrStdout()
	t := newTable(w, "run", "state", ">accounts", ">left", "priority", "queued")
	for _, r := range listed {
		t.AppendRow(table.Row{r.Run, r.State, r.Accounts, r.Left, r.Priority, r.Created.Format(time.DateTime + " UTC")})
	}
	if len(listed) == 0 {
		fmt.Fprintln(w, "The queue has no run. Put one into it with: mcp-trade run --queue")
	} else {
		t.Render()
	}
	fmt.Fprintln(w)
	if len(workers) == 0 {
		fmt.Fprintln(w, "No worker is there. Start one with: mcp-trade worker")
	}
	for _, name := range workers {
		fmt.Fprintf(w, "worker %s\n", name)
	}
	return nil
}

// runAccount is an account of a run as it is shown.
type runAccount struct {
	Account string           `json:"account"`
	State   string           `json:"state"`
	Done    int              `json:"days_done"`
	Days    int              `json:"days"`
	Worker  string           `json:"worker,omitempty"`
	Passed  *runner.Progress `json:"last_day,omitempty"`
	Result  *ranResult       `json:"result,omitempty"`
}

func (s *settings) showRun(cmd *cobra.Command, q store.Queue, id string) error {
	run, err := q.Run(cmd.Context(), id)
	if err == nil && run == nil {
		err = fmt.Errorf("there is no run %q; 'mcp-trade runs list' has all", id)
	}
	if err != nil {
		return err
	}
	accounts, err := standingsOf(cmd.Context(), q, id)
	if err != nil {
		return err
	}
	if s.json {
		return printJSON(cmd.OutOrStdout(), map[string]any{"run": listedRun{run.ID, run.State, run.Accounts, run.Left, run.Priority, run.Lockstep, run.Created.UTC()}, "accounts": accounts})
	}
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s: %s, %d of %d accounts at their end\n\n", run.ID, run.State, run.Accounts-run.Left, run.Accounts)
	t := newTable(w, "account", "state", ">days", "last day", "worker or error")
	for _, a := range accounts {
		row := table.Row{a.Account, a.State, fmt.Sprintf("%d of %d", a.Done, a.Days), "", a.Worker}
		if a.Passed != nil {
			row[3] = a.Passed.Date
		}
		if a.Worker == "" && a.Result != nil && a.Result.Error != "" { // while it trades, an error is of a task before
			row[4] = a.Result.Error
		}
		t.AppendRow(row)
	}
	t.Render()
	return nil
}

// standingsOf are the accounts of a run, sorted by name.
func standingsOf(ctx context.Context, q store.Queue, id string) ([]runAccount, error) {
	all, err := q.Standings(ctx, id)
	if err != nil {
		return nil, err
	}
	accounts := []runAccount{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		of := all[name]
		a := runAccount{Account: name, State: of.State, Done: of.Done, Days: of.Days, Worker: of.Worker}
		for text, to := range map[*[]byte]any{&of.Passed: &a.Passed, &of.Result: &a.Result} {
			if len(*text) > 0 {
				if err := json.Unmarshal(*text, to); err != nil {
					return nil, fmt.Errorf("how the account %s stands cannot be read: %w", name, err)
				}
			}
		}
		accounts = append(accounts, a)
	}
	return accounts, nil
}
