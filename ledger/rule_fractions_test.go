package ledger

// Tests of accounts in fractions of US shares: steps, and cash in cents against the account.

import (
	"strings"
	"testing"

	"mcp-trade/market"
)

func TestApply_Fractions(t *testing.T) {
	fractions, err := DefaultRules().With("lot", fractionOfShare)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, before, order, price, want string }{
		{"half a share", "CASH 100", "buy 0.5 NVDA", "187.33", "CASH 6.33, NVDA 0.5"},                           // 93.665 is paid as 93.67
		{"a third of one is sold", "CASH 0, NVDA 1", "sell 0.333333 NVDA", "10.01", "CASH 3.33, NVDA 0.666667"}, // 3.33666333 is received as 3.33
		{"a step costs a cent", "CASH 1", "buy 0.000001 NVDA", "187.33", "CASH 0.99, NVDA 0.000001"},            // 0.00018733
		{"a step brings nothing", "CASH 1, NVDA 0.000001", "sell 0.000001 NVDA", "187.33", "CASH 1, NVDA 0"},    // likewise
		{"whole shares", "CASH 1000", "buy 2 NVDA", "187.33", "CASH 625.34, NVDA 2"},
		{"half a step", "CASH 100", "buy 0.0000005 NVDA", "187.33",
			"lot_size: NVDA is traded in multiples of 0.000001. You tried to buy 0.0000005. map[amount:0.0000005 minimum:0.000001 nearest_lots:[0.000001] symbol:NVDA]"},
		{"between two steps", "CASH 100", "buy 0.2500005 NVDA", "187.33",
			"lot_size: NVDA is traded in multiples of 0.000001. You tried to buy 0.2500005. map[amount:0.2500005 minimum:0.000001 nearest_lots:[0.25 0.250001] symbol:NVDA]"},
		{"too little cash", "CASH 10", "buy 5 NVDA", "3",
			"insufficient_cash: Insufficient cash! This action will not be allowed. map[cash_available:10 date:2025-10-02 max_amount:3.333333 price:3 required_cash:15 symbol:NVDA]"},
		{"what that refusal names", "CASH 10", "buy 3.333333 NVDA", "3", "CASH 0, NVDA 3.333333"},
		{"nothing", "CASH 10", "buy 0 NVDA", "3", "invalid_argument: Amount must be positive. You tried to buy 0 shares. map[amount:0 minimum:0.000001 symbol:NVDA]"},
	} {
		rec, err := Apply(Book{Date: "2025-10-01", Positions: positions(c.before)}, order(c.order), market.Quote{Symbol: "NVDA", Market: market.US.Get(), At: "2025-10-02", Price: dec(c.price)}, fractions)
		if got := outcome(rec, err); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
	whole, err := Apply(Book{Date: "2025-10-01", Positions: positions("CASH 100")}, order("buy 0.5 NVDA"), market.Quote{Symbol: "NVDA", Market: market.US.Get(), At: "2025-10-02", Price: dec("187.33")}, DefaultRules())
	if got := outcome(whole, err); !strings.HasPrefix(got, "invalid_argument: Invalid amount format. Amount must be an integer") {
		t.Errorf("an account in whole shares: %s", got)
	}
	if form := fractions.Amount(); form.Type != "number" || form.Description != "Number of shares, such as 0.5" {
		t.Errorf("%+v", form)
	}
}

// The rules of fractions are read as they are written, and say how cash is rounded.
func TestParseRules_Fractions(t *testing.T) {
	const text = `{"market": "us", "lot": 0.000001, "costs": "none", "fill": "open", "rounding": "cents"}`
	r, err := DefaultRules().With("lot", fractionOfShare)
	if err != nil || r.text() != text {
		t.Errorf("%s, %v", r.text(), err)
	}
	for text, known := range map[string]bool{
		text: true, strings.Replace(text, "cents", "exact", 1): true, strings.Replace(text, "0.000001", "1", 1): true,
		strings.Replace(text, "0.000001", "0.01", 1): false, strings.Replace(text, "us", "crypto", 1): false, strings.Replace(text, "us", "cn", 1): false,
	} {
		r, err := ParseRules(text)
		if (err == nil) != known || known && r.text() != text {
			t.Errorf("%s: %s, %v", text, r.text(), err)
		}
	}
	if back, err := r.With("lot", "1"); err != nil || back.text() != defaultText {
		t.Errorf("%s, %v", back.text(), err)
	}
}

// Each row of an account in fractions verifies, and one in which a part of a cent was kept does not.
func TestVerify_Fractions(t *testing.T) {
	r, err := DefaultRules().With("lot", fractionOfShare)
	if err != nil {
		t.Fatal(err)
	}
	first := Record{Date: "2025-10-01", Positions: positions("CASH 100"), Rules: r.text()}
	bought, err := Apply(first.book(first.Line()), order("buy 0.5 NVDA"), market.Quote{Symbol: "NVDA", Market: market.US.Get(), At: "2025-10-02", Price: dec("187.33")}, r)
	if err != nil {
		t.Fatal(err)
	}
	kept := bought
	kept.Positions = positions("CASH 6.335, NVDA 0.5")
	finer := bought
	finer.Amount, finer.Positions = dec("0.0000005"), positions("CASH 99.99, NVDA 0.0000005")
	for name, c := range map[string]struct {
		row  Record
		want []Class
	}{"as it was": {bought, nil}, "half a cent is kept": {kept, []Class{Unexplained}}, "half a step": {finer, []Class{Refused}}} {
		report, err := Verify(linesIn([]string{string(first.Line()), string(c.row.Line())}), nil)
		var got []Class
		for _, f := range report.Findings {
			got = append(got, f.Class)
		}
		if err != nil || len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%s: %v, %v", name, report.Findings, err)
		}
	}
}
