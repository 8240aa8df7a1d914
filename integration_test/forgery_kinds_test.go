// The ways in which a ledger is forged.

package integration_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// forger forges one ledger once.
type forger struct {
	victim
	*rand.Rand
}

// move is what a row did, from which the row can be written anew.
type move struct {
	date    market.Stamp
	action  ledger.Action
	symbol  string
	amount  decimal.Decimal
	price   decimal.NullDecimal // another than the open
	fees    decimal.Decimal
	orderID string
}

// forgery is a way to forge. It changes the rows that it is given, or returns them as they are where it cannot.
type forgery struct {
	kind string
	do   func(f forger, rows []string) []string
}

// forgeries are the simple ways.
var forgeries = []forgery{
	{"a digit", forger.digit},
	{"a row removed", func(f forger, rows []string) []string {
		i := f.IntN(len(rows))
		return f.tidied(slices.Delete(rows, i, i+1))
	}},
	{"a row doubled", func(f forger, rows []string) []string {
		i := f.IntN(len(rows))
		return f.tidied(slices.Insert(rows, i, rows[i]))
	}},
	{"rows swapped", func(f forger, rows []string) []string {
		i, j := f.IntN(len(rows)), f.IntN(len(rows))
		if f.IntN(2) == 0 {
			j = min(i+1, len(rows)-1)
		}
		rows[i], rows[j] = rows[j], rows[i]
		return f.tidied(rows)
	}},
	{"a row inserted", func(f forger, rows []string) []string {
		return f.tidied(slices.Insert(rows, f.IntN(len(rows)), f.regrown(rows, 1)...))
	}},
	{"a trade inserted", func(f forger, rows []string) []string {
		i := 1 + f.IntN(len(rows))
		return f.rewritten(rows, i, func(m []move) []move { return slices.Insert(m, 0, f.move(rows[i-1])) })
	}},
	{"a trade removed", func(f forger, rows []string) []string {
		return f.rewritten(rows, f.row(rows), func(m []move) []move { return m[1:] })
	}},
	{"an amount", func(f forger, rows []string) []string {
		return f.changed(rows, func(m *move) { m.amount = m.amount.Add(f.number()) })
	}},
	{"a fee", func(f forger, rows []string) []string {
		if f.IntN(2) == 0 {
			i := f.IntN(len(rows))
			rows[i] = strings.TrimSuffix(rows[i], "}") + `, "fees": ` + f.number().String() + "}"
			return f.tidied(rows)
		}
		return f.changed(rows, func(m *move) { m.fees = f.number() })
	}},
	{"a price", func(f forger, rows []string) []string {
		return f.changed(rows, func(m *move) {
			open, _ := f.prices.AsOf(m.date).OpenPrice(m.symbol)
			m.price = decimal.NewNullDecimal(open.Add(f.number().Shift(-2)))
		})
	}},
	{"a symbol", func(f forger, rows []string) []string {
		symbol := f.symbols[f.IntN(len(f.symbols))]
		if f.IntN(4) == 0 {
			symbol = "ZZZZ"
		}
		return f.changed(rows, func(m *move) { m.symbol = symbol })
	}},
	{"a day", func(f forger, rows []string) []string {
		return f.changed(rows, func(m *move) {
			if m.date = f.stamps[f.IntN(len(f.stamps))]; f.IntN(3) == 0 {
				m.date = m.date.AddDays(f.IntN(7))
			}
		})
	}},
	{"a key's case", func(f forger, rows []string) []string {
		return f.tidied(f.edited(rows, keyForm, func(key string) string {
			at := 1 + f.IntN(len(key)-3)
			letter := strings.ToUpper(key[at : at+1])
			if letter == key[at:at+1] {
				letter = strings.ToLower(letter)
			}
			return key[:at] + letter + key[at+1:]
		}))
	}},
	{"a key twice", func(f forger, rows []string) []string {
		return f.tidied(f.edited(rows, memberForm, func(member string) string {
			again := member
			if f.IntN(2) == 0 {
				again = regexp.MustCompile(`: .*`).ReplaceAllString(member, ": "+f.number().String())
			}
			if f.IntN(2) == 0 {
				return again + ", " + member
			}
			return member + ", " + again
		}))
	}},
	{"the tail cut", func(f forger, rows []string) []string { return rows[:1+f.IntN(len(rows)-1)] }},
	{"the tail cut and regrown", func(f forger, rows []string) []string {
		rows = rows[:1+f.IntN(len(rows)-1)]
		return append(rows, f.regrown(rows, 1+f.IntN(5))...)
	}},
	{"rows added", func(f forger, rows []string) []string { return append(rows, f.regrown(rows, 1+f.IntN(3))...) }},
	{"an order id", func(f forger, rows []string) []string {
		i, id := f.IntN(len(rows)), fmt.Sprintf(`"order_id": "2025-10-0%d#%d"`, 1+f.IntN(9), f.IntN(4))
		if was := orderForm.FindString(rows[i]); was != "" {
			rows[i] = strings.Replace(rows[i], was, []string{id + ", ", ""}[f.IntN(2)], 1)
		} else {
			rows[i] = strings.TrimSuffix(rows[i], "}") + ", " + id + "}"
		}
		return f.tidied(rows)
	}},
	{"the history rewritten", func(f forger, rows []string) []string {
		return append(rows[:1], f.regrown(rows[:1], len(rows)/2+f.IntN(len(rows)/2+1))...)
	}},
	{"the money at the beginning", func(f forger, rows []string) []string {
		cash := regexp.MustCompile(`"CASH": [0-9.]+`)
		richer := cash.ReplaceAllString(rows[0], `"CASH": `+decimal.NewFromInt(int64(f.IntN(1_000_000))).String())
		return f.rewritten(append([]string{richer}, rows[1:]...), 1, func(m []move) []move { return m })
	}},
	{"written otherwise", func(f forger, rows []string) []string {
		return f.tidied(f.edited(rows, memberForm, func(member string) string {
			key, value, _ := strings.Cut(member, ": ")
			switch {
			case f.IntN(3) == 0:
				return key + ":  " + value
			case strings.HasPrefix(value, `"`) && len(value) > 2:
				return fmt.Sprintf(`%s: "\u%04x%s`, key, value[1], value[2:])
			case regexp.MustCompile(`^[0-9]+$`).MatchString(value):
				return key + ": " + value + []string{".0", "e0", "E+0"}[f.IntN(3)]
			}
			return member
		}))
	}},
	{"hashes taken away or added", func(f forger, rows []string) []string {
		from := 1
		if f.IntN(2) == 0 {
			from += f.IntN(len(rows) - 1)
		}
		for i := from; i < len(rows); i++ {
			if rows[i] = prevForm.ReplaceAllString(rows[i], ""); !f.own {
				rows[i] = strings.TrimSuffix(rows[i], "}") + `, "prev": "` + sha256Of(rows[i-1]) + `"}`
			}
		}
		return rows
	}},
}

// combined are the ways that begin with a simple one.
func combined() []forgery {
	return []forgery{
		{"a mark of an import", func(f forger, rows []string) []string {
			_, rows = f.forgeOnce(rows, forgeries)
			if len(rows) == 0 {
				return rows
			}
			last, err := ledger.ParseLine([]byte(rows[len(rows)-1]))
			if err != nil {
				return rows
			}
			last.Action, last.Symbol, last.Amount, last.Price, last.Fees = ledger.NoTrade, "", decimal.Zero, decimal.NullDecimal{}, decimal.Zero
			last.ID, last.Rules, last.OrderID = last.ID+1, "", "unverified-import-1"
			last.Unverified, last.Prev = last.ID, sha256Of(rows[len(rows)-1])
			return append(rows, string(last.Line()))
		}},
		{"two of them", func(f forger, rows []string) []string {
			_, rows = f.forgeOnce(rows, forgeries)
			_, rows = f.forgeOnce(rows, forgeries)
			return rows
		}},
	}
}

var (
	keyForm    = regexp.MustCompile(`"[A-Za-z_]+":`)
	memberForm = regexp.MustCompile(`"[A-Za-z0-9_.-]+": ("[^"]*"|[0-9.]+)`)
	orderForm  = regexp.MustCompile(`"order_id": "[^"]*", `)
	prevForm   = regexp.MustCompile(`, "prev": "[0-9a-f]*"`)
	idForm     = regexp.MustCompile(`"id": [0-9]+`)
)

// forge returns a forgery that differs from the ledger.
func (f forger) forge() (kind string, rows []string) {
	for {
		kind, rows = f.forgeOnce(slices.Clone(f.rows), slices.Concat(forgeries, combined()))
		if len(rows) > 0 && !slices.Equal(rows, f.rows) {
			return kind, rows
		}
	}
}

func (f forger) forgeOnce(rows []string, ways []forgery) (kind string, forged []string) {
	k := ways[f.IntN(len(ways))]
	if len(rows) < 3 {
		return k.kind, rows
	}
	return k.kind, k.do(f, rows)
}

// number is a small one, mostly whole.
func (f forger) number() decimal.Decimal {
	return []decimal.Decimal{
		decimal.NewFromInt(int64(f.IntN(10))), decimal.NewFromInt(int64(-1 - f.IntN(9))), decimal.NewFromInt(int64(f.IntN(5000))), decimal.New(int64(f.IntN(100)), -1), decimal.New(1, -7),
	}[f.IntN(5)]
}

// digit changes a digit anywhere.
func (f forger) digit(rows []string) []string {
	i := f.IntN(len(rows))
	row := []byte(rows[i])
	var digits []int
	for at, c := range row {
		if '0' <= c && c <= '9' {
			digits = append(digits, at)
		}
	}
	at := digits[f.IntN(len(digits))]
	row[at] = '0' + (row[at]-'0'+byte(1+f.IntN(9)))%10
	rows[i] = string(row)
	if f.IntN(2) == 0 {
		return f.rechained(rows)
	}
	return rows
}

// edited changes one of the places of a form in a row.
func (f forger) edited(rows []string, form *regexp.Regexp, change func(string) string) []string {
	i := f.IntN(len(rows))
	places := form.FindAllStringIndex(rows[i], -1)
	if len(places) == 0 {
		return rows
	}
	p := places[f.IntN(len(places))]
	rows[i] = rows[i][:p[0]] + change(rows[i][p[0]:p[1]]) + rows[i][p[1]:]
	return rows
}

// tidied makes ids consecutive and the chain whole, or one of that, or nothing.
func (f forger) tidied(rows []string) []string {
	if f.IntN(2) == 0 {
		for i := range rows {
			rows[i] = idForm.ReplaceAllString(rows[i], fmt.Sprintf(`"id": %d`, i))
		}
	}
	if f.IntN(2) == 0 {
		return f.rechained(rows)
	}
	return rows
}

// rechained has each row that carries a hash carry that of the row before it.
func (f forger) rechained(rows []string) []string {
	for i := 1; i < len(rows); i++ {
		rows[i] = prevForm.ReplaceAllString(rows[i], `, "prev": "`+sha256Of(rows[i-1])+`"`)
	}
	return rows
}

// row is a row after the first, a trade if some can be found.
func (f forger) row(rows []string) int {
	i := 1 + f.IntN(len(rows)-1)
	for range 5 {
		if !strings.Contains(rows[i], `"no_trade"`) {
			break
		}
		i = 1 + f.IntN(len(rows)-1)
	}
	return i
}

// changed changes what a row did, and half of the time all that follows from it.
func (f forger) changed(rows []string, change func(*move)) []string {
	i := f.row(rows)
	after := slices.Clone(rows[i+1:])
	whole := f.rewritten(rows, i, func(m []move) []move { change(&m[0]); return m })
	if f.IntN(2) == 0 {
		return whole
	}
	return f.rechained(append(whole[:min(i+1, len(whole))], after...))
}

// rewritten changes what was done from a row on, and writes all rows from there on anew. Rows that cannot be read stay.
func (f forger) rewritten(rows []string, from int, change func([]move) []move) []string {
	var moves []move
	for _, row := range rows[from:] {
		r, err := ledger.ParseLine([]byte(row))
		if err != nil {
			return rows
		}
		moves = append(moves, move{r.Date, r.Action, r.Symbol, r.Amount, decimal.NullDecimal{}, decimal.Zero, r.OrderID})
	}
	if len(moves) == 0 {
		moves = append(moves, f.move(rows[from-1]))
	}
	written := slices.Clone(rows[:from])
	for _, m := range change(moves) {
		row, ok := f.write(written[len(written)-1], m)
		if !ok {
			return rows
		}
		written = append(written, row)
	}
	return written
}

// regrown are rows that follow by the rules and at the prices.
func (f forger) regrown(rows []string, many int) (more []string) {
	last := rows[len(rows)-1]
	for range many {
		row, ok := f.write(last, f.move(last))
		if !ok {
			break
		}
		more, last = append(more, row), row
	}
	return more
}

// move is a legal one after a row.
func (f forger) move(row string) move {
	r, err := ledger.ParseLine([]byte(row))
	if err != nil {
		return move{action: ledger.NoTrade}
	}
	m := move{date: r.Date, action: ledger.NoTrade}
	later := slices.IndexFunc(f.stamps, func(s market.Stamp) bool { return s > r.Date })
	if f.IntN(3) == 0 && later >= 0 {
		m.date = f.stamps[min(later+f.IntN(2), len(f.stamps)-1)]
	}
	for range 20 {
		symbol, amount := f.symbols[f.IntN(len(f.symbols))], decimal.NewFromInt(int64(1+f.IntN(9)))
		if held := r.Positions.Holdings(); len(held) > 0 && f.IntN(2) == 0 {
			p := held[f.IntN(len(held))]
			return move{date: m.date, action: ledger.Sell, symbol: p.Symbol, amount: decimal.Min(amount, p.Amount)}
		}
		open, err := f.prices.AsOf(m.date).OpenPrice(symbol)
		if err == nil && f.IntN(5) > 0 && open.Mul(amount).LessThanOrEqual(r.Cash()) {
			return move{date: m.date, action: ledger.Buy, symbol: symbol, amount: amount}
		}
	}
	return m
}

// write returns the row that a move makes of the one before it: in exact decimals and chained in a ledger of this program, in
// floats in one of AI-Trader.
func (f forger) write(before string, m move) (row string, ok bool) {
	r, err := ledger.ParseLine([]byte(before))
	if err != nil {
		return "", false
	}
	positions := slices.Clone(r.Positions)
	r = ledger.Record{Date: m.date, ID: r.ID + 1, Action: m.action, Symbol: m.symbol, Amount: m.amount, OrderID: m.orderID, Fees: m.fees}
	if f.own {
		r.Prev = sha256Of(before)
	}
	if r.Traded() {
		price := m.price.Decimal
		if !m.price.Valid {
			price, _ = f.prices.AsOf(m.date).OpenPrice(m.symbol)
		}
		if f.own {
			r.Price = decimal.NewNullDecimal(price)
		}
		change := m.amount
		if m.action == ledger.Sell {
			change = change.Neg()
		}
		positions = f.add(positions, m.symbol, change)
		cost := price.Mul(change)
		if !f.own { // as Python multiplies
			cost = decimal.NewFromFloat(price.InexactFloat64() * change.InexactFloat64())
		}
		positions = f.add(positions, ledger.Cash, cost.Neg())
	}
	if !m.fees.IsZero() {
		positions = f.add(positions, ledger.Cash, m.fees.Neg())
	}
	r.Positions = positions
	return string(r.Line()), true
}

func (f forger) add(positions ledger.Positions, symbol string, change decimal.Decimal) ledger.Positions {
	for i, p := range positions {
		if p.Symbol == symbol {
			positions[i].Amount = f.sum(p.Amount, change)
			return positions
		}
	}
	return append(positions, ledger.Position{Symbol: symbol, Amount: change})
}

func (f forger) sum(a, b decimal.Decimal) decimal.Decimal {
	if f.own {
		return a.Add(b)
	}
	sum, _ := decimal.NewFromString(strconv.FormatFloat(a.InexactFloat64()+b.InexactFloat64(), 'f', -1, 64))
	return sum
}
