package decimal_test

import (
	"encoding/json"
	"testing"

	"mcp-trade/decimal"
)

func TestDecimal_JSON(t *testing.T) {
	type amounts struct {
		Cash  decimal.Decimal     `json:"cash"`
		Fees  *decimal.Decimal    `json:"fees,omitempty"`
		Value decimal.NullDecimal `json:"value"`
		Any   any                 `json:"any"`
	}
	fees := decimal.RequireFromString("0.10")
	known := amounts{decimal.RequireFromString("-12345678901234567890.0123456789"), &fees, decimal.NewNullDecimal(decimal.New(12, 2)), decimal.NewFromInt(3)}
	for _, c := range []struct {
		name string
		of   amounts
		want string
	}{
		{"numbers, each digit kept", known, `{"cash":-12345678901234567890.0123456789,"fees":0.1,"value":1200,"any":3}`},
		{"zero values", amounts{}, `{"cash":0,"value":null,"any":null}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := json.Marshal(c.of)
			if err != nil || string(text) != c.want {
				t.Fatalf("%v, %s, want %s", err, text, c.want)
			}
			var back amounts
			if err := json.Unmarshal(text, &back); err != nil || !back.Cash.Equal(c.of.Cash) || back.Value.Valid != c.of.Value.Valid || !back.Value.Decimal.Equal(c.of.Value.Decimal) {
				t.Errorf("%v: read back as %v", err, back)
			}
		})
	}
}

func TestDecimal_UnmarshalJSON(t *testing.T) {
	for text, want := range map[string]string{`1.50`: "1.5", `"1.50"`: "1.5", `-2e2`: "-200", `1e-3`: "0.001"} {
		var d decimal.Decimal
		var n decimal.NullDecimal
		if err := json.Unmarshal([]byte(text), &d); err != nil || d.String() != want {
			t.Errorf("%s: %v, %v", text, d, err)
		}
		if err := json.Unmarshal([]byte(text), &n); err != nil || !n.Valid || n.Decimal.String() != want {
			t.Errorf("%s: %v, %v", text, n, err)
		}
	}
	for _, text := range []string{`"x"`, `true`, `{}`} {
		n := decimal.NewNullDecimal(decimal.Zero)
		if err := json.Unmarshal([]byte(text), &n); err == nil || n.Valid {
			t.Errorf("%s: %v, %v", text, n, err)
		}
	}
}

func TestMin(t *testing.T) {
	a, b, c := decimal.NewFromInt(2), decimal.NewFromInt(-1), decimal.NewFromInt(5)
	if got := decimal.Min(a, b, c); !got.Equal(b) {
		t.Errorf("%v is the smallest of 2, -1 and 5", got)
	}
}

func TestDecimal_QuoRem(t *testing.T) {
	q, r := decimal.RequireFromString("7.5").QuoRem(decimal.NewFromInt(2), 0)
	if q.String() != "3" || r.String() != "1.5" {
		t.Errorf("7.5 = 2 × %v + %v", q, r)
	}
}
