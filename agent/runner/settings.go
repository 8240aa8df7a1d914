// An account under way keeps its settings: with others it would be another one under the same name.

package runner

import (
	"context"
	"fmt"
	"strings"

	"mcp-trade/internal/format"
	"mcp-trade/ledger"
)

// OtherSettings are the settings in which an account that is under way differs from a run.
type OtherSettings struct {
	Account string
	Differs []string // a clause each
}

// OtherSettingsError says that accounts are under way with other settings.
type OtherSettingsError struct{ Accounts []OtherSettings }

func (e *OtherSettingsError) Error() string {
	var texts []string
	for _, a := range e.Accounts {
		texts = append(texts, fmt.Sprintf("the account %s is under way with other settings: %s", a.Account, strings.Join(a.Differs, "; ")))
	}
	return strings.Join(texts, "\n")
}

// checkSettings refuses a run before anything is done for any of its accounts. What cannot be read now is told by the run of
// the account.
func (r *Runner) checkSettings(ctx context.Context, accounts []Account) error {
	if r.Changed || r.Fresh {
		return nil
	}
	var refused OtherSettingsError
	for _, a := range accounts {
		differs, err := r.differs(ctx, a)
		if err == nil && len(differs) > 0 {
			refused.Accounts = append(refused.Accounts, OtherSettings{a.Name, differs})
		}
	}
	if len(refused.Accounts) > 0 {
		return &refused
	}
	return nil
}

// admitSettings looks once more under the lease, where nobody changes the account.
func (a *accountRun) admitSettings(ctx context.Context) error {
	differs, err := a.differs(ctx, a.account)
	if err != nil || len(differs) == 0 {
		return err
	}
	if !a.Changed {
		return &OtherSettingsError{[]OtherSettings{{a.account.Name, differs}}}
	}
	a.Log.Warn().Str("account", a.account.Name).Msg("the account goes on under other settings: " + strings.Join(differs, "; "))
	return nil
}

// differs lists the differences between the run and what an account was opened and run with; none of one that is new.
func (r *Runner) differs(ctx context.Context, account Account) ([]string, error) {
	first, err := r.Accounts.First(ctx, account.Name)
	if isNew(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []string
	if first.Date.Day() != account.From.Day() {
		list = append(list, fmt.Sprintf("it was opened on %s, and not on %s", first.Date, account.From))
	}
	if !first.Cash().Equal(r.Cash) {
		list = append(list, fmt.Sprintf("it was opened with %s of cash, and not with %s", format.Money(first.Cash()), format.Money(r.Cash)))
	}
	if rules, err := ledger.ParseRules(first.Rules); err == nil { // else the account cannot be traded, and says so
		list = append(list, rules.Differs(r.Rules)...)
	}
	more, err := r.Recorder.Differs(ctx, account.Name)
	return append(list, more...), err
}
