// The flags of run that are about the queue.

package main

import (
	"github.com/spf13/cobra"

	"mcp-trade/store"
)

// queueFlags are the flags of run that are about the queue.
type queueFlags struct {
	queue    bool
	priority string
}

func (f *queueFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.queue, "queue", false, "have workers trade the accounts, on any machine with the same Redis, and watch: see 'mcp-trade worker'")
	cmd.Flags().StringVar(&f.priority, "priority", store.NormalPriority, "with --queue: high, normal or low; all tasks of a higher one are taken first")
	for _, alone := range []string{"fresh", "replay", "follow", "dry-run"} {
		cmd.MarkFlagsMutuallyExclusive("queue", alone)
	}
}
