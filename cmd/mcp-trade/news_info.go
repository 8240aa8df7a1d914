// mcp-trade news info: what the archive holds.

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mcp-trade/search/archive"
)

func newsInfoCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "info", Short: "Print what the archive holds: articles and their dates", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a := s.archive()
			defer a.Close()
			info, err := a.Info(cmd.Context())
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), struct {
					File string `json:"file"`
					archive.Info
				}{a.File(), info})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", a.File(), info)
			return err
		},
	}
}
