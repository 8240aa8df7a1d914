// mcp-trade token: who may call over HTTP.

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/internal/oauth"
	"mcp-trade/internal/rate"
	"mcp-trade/store"
	"mcp-trade/token"
	"mcp-trade/tools"
)

func tokenCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make, list and revoke the tokens of callers over HTTP, and grants to tokens of another issuer",
		Long: "A token says whose account and session a call to 'mcp-trade http' is about, and what its bearer may do. It is shown once. Kept is its\n" +
			"hash: in " + inWords(storeRow.title, " or ") + ", if one is configured, else in the data dir. A server sees at the next call what was changed.",
	}
	cmd.AddCommand(newTokenCommand(s), grantCommand(s), listTokensCommand(s), revokeTokenCommand(s))
	return cmd
}

// madeToken is a token that was just made, with the token itself.
type madeToken struct {
	Secret string `json:"token"`
	token.Token
}

func newTokenCommand(s *settings) *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use: "new --account NAME", Short: "Make a token and show it, once", Args: cobra.NoArgs,
		Example: "  mcp-trade token new --account gpt-5 --scopes read,trade --expires 720h",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.keepToken(cmd, &f, func(tokens store.Tokens, t token.Token) error {
				secret, t, err := token.New(cmd.Context(), tokens, t)
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				if s.json {
					return printJSON(out, madeToken{secret, t})
				}
				fmt.Fprintf(out, "%s\n\nIt is the token %s of the account %s, in the session of the model %s, and is shown only now. A client sends it in the header\nAuthorization: Bearer TOKEN\n", secret, t.ID, t.Account, t.Model)
				return nil
			})
		},
	}
	f.register(cmd)
	return cmd
}

func grantCommand(s *settings) *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use: "grant --subject NAME --account NAME", Short: "Let a subject of an authorization server in, by the tokens that it gets there", Args: cobra.NoArgs,
		Long: "A token of --issuer lets its subject in for what was granted here, as far as the token has the scopes for it. A grant takes the place of\n" +
			"the one before, of the same subject. 'mcp-trade token list' names it and 'mcp-trade token revoke' ends it.",
		Example: "  mcp-trade token grant --issuer https://login.example.com --subject runner-1 --account gpt-5 --scopes read,trade",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if configured, _ := s.lookup(oauthIssuerVariable); f.t.Issuer == "" {
				f.t.Issuer = configured
			}
			if err := oauth.CheckAddress(f.t.Issuer); err != nil {
				return usageError{fmt.Errorf("--issuer %w", err)}
			}
			return s.keepToken(cmd, &f, func(tokens store.Tokens, t token.Token) error {
				t, err := token.Grant(cmd.Context(), tokens, t)
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				if s.json {
					return printJSON(out, t)
				}
				fmt.Fprintf(out, "The subject %s of %s trades the account %s, in the session of the model %s. The grant is %s.\n", t.Subject, t.Issuer, t.Account, t.Model, t.ID)
				return nil
			})
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.t.Subject, "subject", "", "whom to let in: the claim sub of its tokens")
	cmd.Flags().StringVar(&f.t.Issuer, "issuer", "", "address of the authorization server, the claim iss (default "+oauthIssuerVariable+")")
	_ = cmd.MarkFlagRequired("subject")
	return cmd
}

// tokenFlags say what a token or a grant is to be.
type tokenFlags struct {
	t       token.Token
	expires time.Duration
}

func (f *tokenFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.t.Account, "account", "", "whose account, the only one that the session may name")
	flags.StringSliceVar(&f.t.Scopes, "scopes", tools.Scopes, "what its bearer may do")
	flags.StringSliceVar(&f.t.Toolsets, "only-toolsets", nil, "tools that its bearer may use (default those of the server)")
	flags.TextVar(&f.t.Rate, "rate", rate.Rate{}, "requests that its bearer may make, such as 60/m; s, m or h (default any number)")
	flags.TextVar(&f.t.Orders, "order-rate", rate.Rate{}, "orders among them (default any number)")
	flags.DurationVar(&f.expires, "expires", 0, "life from now (default for ever)")
	_ = cmd.MarkFlagRequired("account")
}

// keepToken has the token that the flags say kept where tokens are.
func (s *settings) keepToken(cmd *cobra.Command, f *tokenFlags, keep func(store.Tokens, token.Token) error) error {
	t := f.t
	if t.Model = t.Account; cmd.Flags().Changed("model-id") {
		t.Model = s.modelID
	}
	if f.expires < 0 || cmd.Flags().Changed("expires") && f.expires == 0 {
		return usageError{fmt.Errorf("--expires %v: use a time from now, such as 720h", f.expires)}
	}
	if t.Created = time.Now().UTC().Truncate(time.Second); f.expires > 0 {
		t.Expires = t.Created.Add(f.expires)
	}
	for _, scope := range t.Scopes {
		if !slices.Contains(tools.Scopes, scope) {
			return usageError{fmt.Errorf("--scopes: there is no scope %.40q; use some of %s", scope, strings.Join(tools.Scopes, ", "))}
		}
	}
	if err := tools.CheckToolsets(t.Toolsets); err != nil {
		return usageError{fmt.Errorf("--only-toolsets: %w", err)}
	}
	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	return keep(r.tokens(), t)
}

// listedToken is a token with what it is worth now.
type listedToken struct {
	token.Token
	State string `json:"state"`
}

func listTokensCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Print which tokens and grants there are, without the tokens themselves", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			all, failed := token.List(cmd.Context(), r.tokens())
			listed := []listedToken{}
			for _, t := range all {
				listed = append(listed, listedToken{t, t.State(time.Now())})
			}
			if err := printTokens(cmd, s, listed); err != nil {
				return err
			}
			return failed
		},
	}
}

func printTokens(cmd *cobra.Command, s *settings, listed []listedToken) error {
	w := cmd.OutOrStdout()
	if s.json {
		return printJSON(w, listed)
	}
	t := newTable(w, "id", "account", "model id", "subject", "scopes", "toolsets", "rates", "made", "expires", "state")
	for _, l := range listed {
		toolsets, expires := "of the server", "never"
		if l.Toolsets != nil {
			toolsets = strings.Join(l.Toolsets, ",")
		}
		if !l.Expires.IsZero() {
			expires = l.Expires.Format(time.RFC3339)
		}
		t.AppendRow(table.Row{l.ID, l.Account, l.Model, l.Subject, strings.Join(l.Scopes, ","), toolsets, ratesOf(l.Token), l.Created.Format(time.RFC3339), expires, l.State})
	}
	t.Render()
	return nil
}

func ratesOf(t token.Token) string {
	var all []string
	if t.Rate != (rate.Rate{}) {
		all = append(all, t.Rate.String())
	}
	if t.Orders != (rate.Rate{}) {
		all = append(all, "orders "+t.Orders.String())
	}
	return cmp.Or(strings.Join(all, ", "), "any")
}

func revokeTokenCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "End a token or a grant: no call with it is answered any more", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			now := time.Now().UTC().Truncate(time.Second)
			t, err := token.Revoke(cmd.Context(), r.tokens(), args[0], now)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), listedToken{t, t.State(now)})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The token %s of the account %s is revoked.\n", t.ID, t.Account)
			return nil
		},
	}
}
