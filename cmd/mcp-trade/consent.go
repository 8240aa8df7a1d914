// What a configuration wants is asked for once, before any of it is done, and remembered by its hash.

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mcp-trade/agent/config"
	"mcp-trade/agent/trust"
	"mcp-trade/internal/files"
)

// trustFlags say what the user allows.
type trustFlags struct {
	config bool     // all that the configuration wants
	plain  []string // hosts that may be sent to over plain HTTP
}

func (f *trustFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.config, "trust-config", false, "allow the commands, addresses, variables, files and folders that the configuration names")
	flags.StringSliceVar(&f.plain, "plain-http", nil, "host beyond this machine that may be sent keys and prompts over plain http, repeatable")
}

// notAllowed is an error of a configuration that wants what nobody has allowed. It is no mistake in the command line.
type notAllowed struct{ error }

// asUsage is a usageError of what went wrong with a configuration, unless it is that nobody allowed what it wants.
func asUsage(err error) error {
	if _, ok := errors.AsType[notAllowed](err); ok {
		return err
	}
	return usageError{err}
}

// agree returns nil once the user has allowed what a configuration wants: by a flag, earlier, or now on the terminal. Nothing of it
// was done yet.
func (s *settings) agree(cmd *cobra.Command, f trustFlags, c config.Config, name string) error {
	for _, host := range trust.Unencrypted(c) {
		if !slices.Contains(f.plain, host) {
			return fmt.Errorf("keys and prompts would be sent to %[1]s unencrypted: use https, or allow it with --plain-http %[1]s", host)
		}
	}
	wants := trust.Wants(c, func(variable string) bool { return sourceOf(variable) == fromDotEnv })
	if len(wants) == 0 || f.config {
		return nil
	}
	hash, file := trust.Hash(wants), trustedFile()
	known, err := isTrusted(file, hash)
	if err != nil {
		s.log.Warn().Msgf("what was allowed before cannot be read, and is asked again: %v", err)
	}
	if known {
		return nil
	}
	var list strings.Builder
	for _, w := range wants {
		list.WriteString("  " + w.Text + "\n")
	}
	if !isTerminal(os.Stdin) || !isTerminal(cmd.ErrOrStderr()) {
		return notAllowed{fmt.Errorf("%s wants what nobody has allowed yet:\n%sAllow all of it with --trust-config, or once and for all by this command on a terminal", name, list.String())}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s wants to\n%sAllow all of it, now and later? The answer yes is kept in %s [y/N] ", name, list.String(), file)
	switch answer, err := answered(cmd.Context(), os.Stdin); {
	case err != nil:
		return err
	case answer != "y" && answer != "yes":
		return notAllowed{errors.New("not allowed, and nothing was done")}
	}
	if err := remember(file, hash, name); err != nil {
		s.log.Warn().Msgf("it is allowed, and will be asked again, since that cannot be remembered: %v", err)
	}
	return nil
}

// answered waits for a line.
func answered(ctx context.Context, from io.Reader) (string, error) {
	const longest = 1 << 10
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(io.LimitReader(from, longest)).ReadString('\n') // what is cut short is no yes
		line <- text
	}()
	select {
	case <-ctx.Done():
		return "", quietError(exitInterrupted)
	case text := <-line:
		return strings.ToLower(strings.TrimSpace(text)), nil
	}
}

// trustedFile has a line for each answer, its hash first; "" where the user has no folder for it.
func trustedFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "mcp-trade", "trusted")
}

// maxTrusted bounds that file, in bytes.
const maxTrusted = 1 << 20

func isTrusted(file, hash string) (bool, error) {
	text, err := files.Read(file, maxTrusted)
	if file == "" || errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	for line := range strings.Lines(string(text)) {
		if known, _, _ := strings.Cut(line, " "); known == hash {
			return true, err
		}
	}
	return false, err
}

// remember adds an answer. The name of the configuration is for people who look into the file.
func remember(file, hash, name string) error {
	if file == "" {
		return errors.New("the user has no folder for configurations")
	}
	if err := files.Owner.MkdirAll(filepath.Dir(file)); err != nil {
		return err
	}
	f, err := files.Owner.Append(file)
	if err != nil {
		return err
	}
	if abs, err := filepath.Abs(name); err == nil {
		name = abs
	}
	_, err = fmt.Fprintf(f, "%s %q\n", hash, name)
	return errors.Join(err, f.Close())
}
