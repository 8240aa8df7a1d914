package ledger

// Tests of the list of rules: it is complete, the documentation says what it says, and it decides about a price.

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mcp-trade/code"
	"mcp-trade/market"
)

var update = flag.Bool("update", false, "write the rules into ../docs/markets.md")

func TestRuleList(t *testing.T) {
	names, keys := map[string]bool{}, map[string]bool{}
	for _, x := range ruleTerms {
		keys[x.key] = true
	}
	for _, r := range rules {
		if r.name == "" || r.says == "" || r.judge == nil || names[r.name] || r.in != "" && r.in.Get() == nil {
			t.Errorf("the row of %q lacks something, or is there twice", r.name)
		}
		names[r.name] = true
		for _, x := range r.terms {
			if keys[x.key] || x.always || x.preset == nil || x.knows == nil {
				t.Errorf("%s: the term %q has the key of another, or would lock the ledgers that were opened before it", r.name, x.key)
			}
			keys[x.key] = true
		}
	}
	if got := DefaultRules().text(); got != defaultText {
		t.Errorf("the default rules are %s, and read as %s", got, defaultText)
	}
}

// The documentation has the rules of the list. With -update it is written.
func TestRuleList_Documentation(t *testing.T) {
	const page = "../docs/markets.md"
	table := "| market | rule | what it asks of an order |\n|---|---|---|\n"
	for _, r := range rules {
		in := "every"
		if r.in != "" {
			in = "`" + string(r.in) + "`"
		}
		table += fmt.Sprintf("| %s | %s | %s |\n", in, r.name, r.says)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(`(?s)\| market \| rule \|.*?\n\n`).FindIndex(text)
	if at == nil {
		t.Fatalf("%s has no table of rules", page)
	}
	switch got := strings.TrimSuffix(string(text[at[0]:at[1]]), "\n"); {
	case got == table:
	case !*update:
		t.Errorf("%s has\n%s\nand the list says\n%s\n(go test ./ledger -run TestRuleList -update writes it)", page, got, table)
	default:
		if err := os.WriteFile(page, slices.Concat(text[:at[0]], []byte(table+"\n"), text[at[1]:]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Each rule of the list is asked by Apply with the price of the order, and its refusal stands.
func TestApply_AsksEachRule(t *testing.T) {
	kept := rules
	defer func() { rules = kept }()
	penny := &Refusal{code.InvalidArgument, "too cheap", nil}
	rules[0] = rule{when: atPrice, judge: func(a Attempt) error {
		if a.Quote.Price.LessThan(one) && a.Order.Action == Buy && a.Book.Positions.Amount(a.Order.Symbol).IsZero() {
			return penny
		}
		return nil
	}}
	book := Book{Date: "2025-10-01", Positions: positions("CASH 100, HELD 1")}
	for _, c := range []struct {
		order, price string
		refused      bool
	}{
		{"buy 1 NVDA", "0.99", true}, {"buy 1 NVDA", "1", false}, {"buy 1 HELD", "0.5", false}, {"sell 1 HELD", "0.5", false},
	} {
		_, err := Apply(book, order(c.order), market.Quote{At: "2025-10-02", Price: dec(c.price)}, DefaultRules())
		if errors.Is(err, penny) != c.refused || !c.refused && err != nil {
			t.Errorf("%s at %s: %v", c.order, c.price, err)
		}
	}
}
