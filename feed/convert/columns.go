package convert

// This file recognises what the columns of a table hold, by what programs and sites call them.

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// What a column may hold beside a figure.
const (
	date = 100 + iota
	timeOfDay
	symbol
	dividend
	split
	adjustedClose
	yahooDividend // of a table of Yahoo's, whose prices are adjusted for splits
	yahooSplit
	ignored
)

// columnNames are in small letters, without marks around them, and with one space for each _.
var columnNames = map[string]int{
	"date": date, "datetime": date, "timestamp": date, "day": date, "trade date": date, "index": date, "": date, "t": date, "open time": date, "time": timeOfDay,
	"symbol": symbol, "ticker": symbol, "ts code": symbol, "code": symbol, "sym": symbol,
	"open": feed.Open, "1. open": feed.Open, "1. buy price": feed.Open, "o": feed.Open, "opening price": feed.Open,
	"high": feed.High, "2. high": feed.High, "h": feed.High,
	"low": feed.Low, "3. low": feed.Low, "l": feed.Low,
	"close": feed.Close, "4. close": feed.Close, "4. sell price": feed.Close, "c": feed.Close, "close/last": feed.Close, "last": feed.Close, "closing price": feed.Close,
	"volume": feed.Volume, "5. volume": feed.Volume, "6. volume": feed.Volume, "vol": feed.Volume, "vol.": feed.Volume, "v": feed.Volume,
	"dividend amount": dividend, "7. dividend amount": dividend, "divcash": dividend,
	"split coefficient": split, "8. split coefficient": split, "splitfactor": split,
	"adj close": adjustedClose, "adjclose": adjustedClose, "adjusted close": adjustedClose, "5. adjusted close": adjustedClose,
	"dividends": yahooDividend, "stock splits": yahooSplit,
	"per": ignored, "openint": ignored, "capital gains": ignored,
}

func columnOf(name string) (what int, known bool) {
	name = strings.ToLower(strings.Trim(strings.TrimSpace(name), "<>'\""))
	what, known = columnNames[strings.Join(strings.Fields(strings.ReplaceAll(name, "_", " ")), " ")]
	return what, known
}

func figureOf(name string) (int, bool) {
	what, known := columnOf(name)
	return what, known && what <= feed.Volume
}

// layout is what the columns of a table hold.
type layout struct {
	form           string
	columns        int // that a row must have
	dateAt, timeAt int // -1: none
	symbolAt       int // -1: none
	symbol         string
	groups         []columnGroup
	notes          []string
}

// columnGroup is the columns of a bar.
type columnGroup struct {
	symbol              string // "": that of the row
	figures             []column
	dividendAt, splitAt int // -1: none
}

type column struct{ at, figure int }

// binanceColumns is how many a row of Binance's klines has. Its files have no head, before 2025 as after.
const binanceColumns = 12

// layoutOf reads the head of a table, which starts with a row, and may need further ones. A row that turned out not to be of the head is
// pending.
func layoutOf(head []string, next func() ([]string, error), path string) (l layout, pending []string, err error) {
	l = layout{form: "csv", columns: len(head), dateAt: -1, timeAt: -1, symbolAt: -1}
	if len(head) == binanceColumns && strings.Trim(head[0], "0123456789") == "" && len(head[0]) >= 13 {
		l.form, l.dateAt, pending = "binance klines", 0, head
		l.groups = []columnGroup{{figures: []column{{1, feed.Open}, {2, feed.High}, {3, feed.Low}, {4, feed.Close}, {5, feed.Volume}}, dividendAt: -1, splitAt: -1}}
		l.symbol, err = symbolOfFile(path)
		return l, pending, err
	}
	if second, ok := headOfTwo(head); ok {
		cells, err := next()
		if err != nil || cells == nil {
			return l, nil, errors.Join(errors.New("its second row is missing"), err)
		}
		return l.ofTwo(head, cells, second, next)
	}
	l, err = l.ofOne(head, path)
	return l, nil, err
}

// ofOne is the layout of a table whose head is one row.
func (l layout) ofOne(head []string, path string) (layout, error) {
	one := columnGroup{dividendAt: -1, splitAt: -1}
	yahoo, adjusted := columnGroup{dividendAt: -1, splitAt: -1}, false
	var others []int
	letters := hasLetters(head)
	for i, name := range head {
		switch what, known := columnOf(name); {
		case !known || len(strings.TrimSpace(name)) == 1 && !letters:
			others = append(others, i)
		case what <= feed.Volume:
			one.figures = append(one.figures, column{i, what})
		case what == date && l.dateAt < 0:
			l.dateAt = i
		case what == timeOfDay:
			l.timeAt = i
		case what == symbol:
			l.symbolAt = i
		case what == dividend:
			one.dividendAt = i
		case what == split:
			one.splitAt = i
		case what == yahooDividend:
			yahoo.dividendAt = i
		case what == yahooSplit:
			yahoo.splitAt = i
		case what == adjustedClose:
			adjusted = true
		}
	}
	if l.dateAt < 0 {
		l.dateAt, l.timeAt = l.timeAt, -1
	}
	if l.dateAt < 0 {
		return l, fmt.Errorf("no column is called Date, Datetime or Timestamp; it has %.200q", strings.Join(head, ", "))
	}
	if len(one.figures) == 0 || l.symbolAt < 0 && one.figures[0].figure == feed.Volume && len(others) > 0 {
		return l.wide(head, others, path)
	}
	for _, i := range others {
		l.notes = append(l.notes, fmt.Sprintf("the column %.40q is not read", strings.TrimSpace(head[i])))
	}
	l.yahooActions(&one, yahoo, adjusted)
	l.groups = []columnGroup{one}
	if l.symbolAt < 0 {
		var err error
		if l.symbol, err = symbolOfFile(path); err != nil {
			return l, err
		}
	}
	return l, nil
}

// hasLetters tells whether a head calls the prices o, h, l and c. Alone, a letter is a symbol: C and V are shares.
func hasLetters(head []string) bool {
	text := "," + strings.ToLower(strings.Join(head, ",")) + ","
	return strings.Contains(text, ",o,") && strings.Contains(text, ",h,") && strings.Contains(text, ",l,") && strings.Contains(text, ",c,")
}

// yahooActions takes the actions of a table of Yahoo's as far as they fit its prices. Those are adjusted for splits, so a split would
// count twice; and without a column of adjusted closes also for dividends.
func (l *layout) yahooActions(g *columnGroup, yahoo columnGroup, adjusted bool) {
	if adjusted {
		l.notes = append(l.notes, "the adjusted close is not read: it knows later splits and dividends")
	}
	if yahoo.splitAt >= 0 {
		l.notes = append(l.notes, "the prices are adjusted for the splits, which are left out")
	}
	switch {
	case yahoo.dividendAt >= 0 && adjusted:
		g.dividendAt = yahoo.dividendAt
	case yahoo.dividendAt >= 0:
		l.notes = append(l.notes, "the prices are adjusted for the dividends, which are left out")
	}
}

// wide is the layout of a table with columns for each symbol: its close, or figures that are named with it, as in AAPL.Open and Open AAPL.
// A file that is called open.csv holds opens.
func (l layout) wide(head []string, others []int, path string) (layout, error) {
	l.form = "wide csv"
	figure, ok := figureOf(baseName(path))
	if !ok {
		figure = feed.Close
	}
	closesOnly := true
	for _, i := range others {
		name, of := strings.TrimSpace(head[i]), figure
		if at := strings.IndexAny(name, " _.:"); at > 0 {
			last := strings.LastIndexAny(name, " _.:")
			if f, ok := figureOf(name[last+1:]); ok {
				name, of, closesOnly = name[:last], f, false
			} else if f, ok := figureOf(name[:at]); ok {
				name, of, closesOnly = name[at+1:], f, false
			} else if strings.HasSuffix(strings.ToLower(name), "adjusted") {
				continue // as quantmod calls the adjusted close
			}
		}
		if err := market.CheckSymbol(symbolFrom(name)); err != nil {
			return l, err
		}
		l.group(symbolFrom(name)).figures = append(l.group(symbolFrom(name)).figures, column{i, of})
	}
	if len(l.groups) == 0 {
		return l, fmt.Errorf("no column holds prices; it has %.200q", strings.Join(head, ", "))
	}
	if closesOnly && figure == feed.Close {
		l.notes = append(l.notes, "it has closes only, and orders fill at opens: nothing can be traded on it alone")
	}
	return l, nil
}

// group returns the columns of a symbol.
func (l *layout) group(symbol string) *columnGroup {
	i := slices.IndexFunc(l.groups, func(g columnGroup) bool { return g.symbol == symbol })
	if i < 0 {
		i = len(l.groups)
		l.groups = append(l.groups, columnGroup{symbol: symbol, dividendAt: -1, splitAt: -1})
	}
	return &l.groups[i]
}

// headOfTwo tells whether a row is the first of a head of two rows, as yfinance writes it: one has the figures, the other the symbols.
// It returns whether the second one has the figures.
func headOfTwo(head []string) (secondHasFigures, ok bool) {
	switch strings.ToLower(strings.TrimSpace(head[0])) {
	case "price":
		return false, len(head) > 1 && allFigures(head[1:])
	case "ticker":
		isDate := func(name string) bool {
			what, known := columnOf(name)
			return known && what == date && len(name) > 1
		}
		return true, len(head) > 1 && !slices.ContainsFunc(head[1:], isDate)
	case "":
		repeated := len(head) > 2 && slices.ContainsFunc(head[2:], func(s string) bool { return s == head[1] })
		return false, repeated && allFigures(head[1:])
	}
	return false, false
}

func allFigures(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		what, known := columnOf(name)
		return !known || what == date || what == symbol
	})
}

// ofTwo is the layout of a table whose head has two rows. A third one may name the dates alone.
func (l layout) ofTwo(first, second []string, secondHasFigures bool, next func() ([]string, error)) (layout, []string, error) {
	l.form, l.dateAt = "yfinance csv", 0
	figures, symbols := first, second
	if secondHasFigures {
		figures, symbols = second, first
	}
	if len(figures) != len(symbols) {
		return l, nil, fmt.Errorf("its rows have %d and %d cells", len(first), len(second))
	}
	yahoo, adjusted := map[string]*columnGroup{}, map[string]bool{}
	for i := 1; i < len(figures); i++ {
		name := symbolFrom(symbols[i])
		if err := market.CheckSymbol(name); err != nil {
			return l, nil, err
		}
		if yahoo[name] == nil {
			yahoo[name] = &columnGroup{dividendAt: -1, splitAt: -1}
		}
		switch what, known := columnOf(figures[i]); {
		case !known:
			l.notes = append(l.notes, fmt.Sprintf("the column %.40q is not read", figures[i]))
		case what <= feed.Volume:
			g := l.group(name)
			g.figures = append(g.figures, column{i, what})
		case what == yahooDividend:
			yahoo[name].dividendAt = i
		case what == yahooSplit:
			yahoo[name].splitAt = i
		case what == adjustedClose:
			adjusted[name] = true
		}
	}
	for i := range l.groups {
		g := &l.groups[i]
		l.yahooActions(g, *yahoo[g.symbol], adjusted[g.symbol])
	}
	slices.Sort(l.notes)
	l.notes = slices.Compact(l.notes)
	third, err := next()
	if err == nil && third != nil {
		if what, known := columnOf(third[0]); known && what == date && strings.TrimSpace(strings.Join(third[1:], "")) == "" {
			third = nil
		}
	}
	return l, third, err
}

// symbolFrom is a symbol as price files have it: in capitals, without the country that Stooq writes behind US shares.
func symbolFrom(text string) string {
	text = strings.ToUpper(strings.TrimSpace(text))
	return strings.TrimSuffix(text, ".US")
}

var (
	binanceName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([A-Z0-9]+)USDT-\d+[a-zA-Z]+-\d{4}-\d\d(-\d\d)?$`) })
	stooqName   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.+)_US_[DWMH]$`) })
	vantageName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:DAILY_ADJUSTED|DAILY|INTRADAY_\d+MIN)_(.+)$`) })
)

func baseName(path string) string {
	base := filepath.Base(path)
	for _, ending := range []string{".csv", ".txt", ".tsv", ".json"} {
		if short, ok := strings.CutSuffix(strings.ToLower(base), ending); ok {
			return base[:len(short)]
		}
	}
	return base
}

// symbolOfFile is the symbol that the name of a file tells.
func symbolOfFile(path string) (string, error) {
	name := strings.ToUpper(baseName(path))
	switch {
	case binanceName().MatchString(name):
		name = binanceName().ReplaceAllString(name, "$1-USDT")
	case stooqName().MatchString(name):
		name = stooqName().ReplaceAllString(name, "$1")
	case vantageName().MatchString(name):
		name = vantageName().ReplaceAllString(name, "$1")
	}
	name = symbolFrom(name)
	if err := market.CheckSymbol(name); err != nil {
		return "", fmt.Errorf("no column has symbols, and the name of the file is none: %w", err)
	}
	return name, nil
}
