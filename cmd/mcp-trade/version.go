// mcp-trade version.

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// build is what this program was built from. What is not known is "".
type build struct {
	Version  string `json:"version"`  // as the module system gave it, or "devel"
	Revision string `json:"revision"` // of the repository
	Time     string `json:"time"`     // of the revision
	Modified bool   `json:"modified"` // files differed from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuild() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func version() string { return readBuild().name() }

// name names the build in one word. The version that the module system makes up names the revision already.
func (b build) name() string {
	const short = 12 // digits of a revision
	if b.Revision == "" || strings.Contains(b.Version, b.Revision[:min(short, len(b.Revision))]) {
		return b.Version
	}
	v := b.Version + "-" + b.Revision[:min(short, len(b.Revision))]
	if b.Modified {
		v += "+dirty"
	}
	return v
}

func (b build) String() string {
	text := fmt.Sprintf("mcp-trade %s %s %s", b.Version, b.Go, b.Platform)
	if b.Revision == "" {
		return text + " (built without the revision of its repository)"
	}
	text += fmt.Sprintf("\nrevision %s of %s", b.Revision, b.Time)
	if b.Modified {
		text += ", modified"
	}
	return text
}

func versionCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version, and the revision that it was built from", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := readBuild()
			if s.json {
				return printJSON(cmd.OutOrStdout(), b)
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), b)
			return err
		},
	}
}
