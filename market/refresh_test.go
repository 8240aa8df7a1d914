package market

// Tests of files that change while they are open.

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// row is a bar of a file, by its figures in the order open, high, low, close, volume; "" is unknown.
type row struct {
	stamp   string
	figures [5]string
}

func bar(stamp, open, closing string) row {
	return row{stamp, [5]string{open, "30", "1", closing, "100"}}
}

// rowsLine is the line of a symbol.
func rowsLine(symbol string, rows ...row) string {
	var bars []string
	for _, r := range rows {
		bars = append(bars, fmt.Sprintf(`"%s": {"1. open": "%s", "2. high": "%s", "3. low": "%s", "4. close": "%s", "5. volume": "%s"}`,
			r.stamp, r.figures[0], r.figures[1], r.figures[2], r.figures[3], r.figures[4]))
	}
	return fmt.Sprintf(`{"Meta Data": {"2. Symbol": "%s"}, "Time Series (Daily)": {%s}}`+"\n", symbol, strings.Join(bars, ", "))
}

// rewriteFile writes a file in place. Its time is another than before, which that of two writes in a row may not be.
func rewriteFile(t testing.TB, path, content string) {
	t.Helper()
	later := time.Now()
	if is, err := os.Stat(path); err == nil {
		later = is.ModTime().Add(time.Second)
	}
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o644), os.Chtimes(path, later, later)); err != nil {
		t.Fatal(err)
	}
}

// replaceFile puts another file in the place of a file.
func replaceFile(t testing.TB, path, content string) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".new", []byte(content), 0o644), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func TestPrices_Refresh(t *testing.T) {
	one, two, three := bar("2025-10-01", "10", "11"), bar("2025-10-02", "12", "13"), bar("2025-10-03", "14", "15")
	underWay := row{"2025-10-02", [5]string{"12", "", "", "", ""}}
	a, b := rowsLine("A", one, two), rowsLine("B", one, two)
	for name, c := range map[string]struct {
		was     string // "": A and B with two days
		is      string
		refused string // a part of the error; "": the new content is served
	}{
		"grown by a day":           {is: rowsLine("A", one, two, three) + b},
		"grown by a symbol":        {is: a + b + rowsLine("C", one, three)},
		"in another order":         {is: b + a},
		"another future":           {was: rowsLine("A", one, two, three) + b, is: rowsLine("A", one, two, bar("2025-10-03", "20", "21")) + b},
		"without a future":         {was: rowsLine("A", one, two, three) + b, is: a + b},
		"the day is over":          {was: rowsLine("A", one, underWay) + b, is: a + b},
		"another close of today":   {is: rowsLine("A", one, bar("2025-10-02", "12", "14")) + b},
		"digits written otherwise": {is: rowsLine("A", bar("2025-10-01", "10.00", "1.1e1"), two) + b},
		"a figure becomes known":   {was: rowsLine("A", bar("2025-10-01", "10", ""), two) + b, is: a + b},
		"a bar comes late":         {was: rowsLine("A", two) + b, is: a + b},
		"not shown before":         {is: a + rowsLine("B", bar("2025-10-01", "7", "8"))},
		"not shown, and gone":      {is: a},
		"another close":            {is: rowsLine("A", bar("2025-10-01", "10", "11.5"), two) + b, refused: "A 2025-10-01: the close was 11 and is 11.5 now, in FILE:1"},
		"another open of today":    {is: b + rowsLine("A", one, bar("2025-10-02", "12.5", "13")), refused: "A 2025-10-02: the open was 12 and is 12.5 now, in FILE:2"},
		"a figure is gone":         {is: rowsLine("A", bar("2025-10-01", "10", ""), two) + b, refused: "A 2025-10-01: the close was 11 and is gone now, in FILE:1"},
		"a bar is gone":            {is: rowsLine("A", two) + b, refused: "A 2025-10-01: the open was 10 and is gone now, in FILE:1"},
		"the symbol is gone":       {is: b, refused: "A 2025-10-01: the open was 10 and is gone now, in FILE."},
		"half written":             {is: a + b[:len(b)-20], refused: "half written: its last line is torn"},
		"half of it written":       {is: b[:20], refused: "no line is a price series"},
		"nothing written yet":      {is: "", refused: "is empty"},
		"damaged where it is read": {is: strings.Replace(a, `{"1. open`, `{{"1. open`, 1) + b, refused: "the prices of A, which were shown, cannot be read (FILE:1)"},
		"a symbol is there twice":  {is: a + b + b, refused: "symbol B is there twice"},
	} {
		for how, change := range map[string]func(testing.TB, string, string){"replaced": replaceFile, "rewritten": rewriteFile} {
			t.Run(name+", "+how, func(t *testing.T) {
				was := c.was
				if was == "" {
					was = a + b
				}
				path := writeFile(t, was)
				p, err := Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { p.Close() }()
				before := p.AsOf("2025-10-02")
				shown := everythingOf(before, "A")
				change(t, path, c.is)
				for range 2 { // what is refused stays refused
					err := p.Refresh()
					if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), path, "FILE"), c.refused)) {
						t.Fatalf("%v, want %q", err, c.refused)
					}
				}
				if now := everythingOf(before, "A"); now != shown {
					t.Errorf("the view that was there before shows\n%s\nafter\n%s", now, shown)
				}
				if c.refused != "" {
					if now := everythingOf(p.AsOf("2025-10-02"), "A"); now != shown {
						t.Errorf("what is in force shows\n%s\nafter\n%s", now, shown)
					}
					change(t, path, was+rowsLine("NEW", one)) // is right again
					if err := p.Refresh(); err != nil {
						t.Fatal(err)
					}
				}
				sameAsFresh(t, p, path)
			})
		}
	}
}

// everythingOf is what a view shows of some symbols.
func everythingOf(v View, symbols ...string) string {
	var all []string
	for _, symbol := range symbols {
		bars, _, err := v.Bars(symbol, "", "", 0)
		for _, b := range bars {
			all = append(all, text(b))
		}
		actions, failed := v.Actions(symbol, "")
		all = append(all, fmt.Sprint(actions), fmt.Sprint(err), fmt.Sprint(failed))
	}
	return strings.Join(all, "\n")
}

// sameAsFresh fails the test unless prices serve what those do that are opened now.
func sameAsFresh(t testing.TB, p *Prices, paths ...string) {
	t.Helper()
	fresh, err := Open(paths...)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	for _, at := range []Stamp{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-04"} {
		symbols, err := fresh.AsOf(at).Symbols()
		mine, failed := p.AsOf(at).Symbols()
		if err != nil || failed != nil || fmt.Sprint(symbols) != fmt.Sprint(mine) {
			t.Fatalf("%s: %v, %v; want %v, %v", at, mine, failed, symbols, err)
		}
		if got, want := everythingOf(p.AsOf(at), symbols...), everythingOf(fresh.AsOf(at), symbols...); got != want {
			t.Fatalf("as of %s it serves\n%s\nand prices that are opened now\n%s", at, got, want)
		}
	}
	stamps, err := fresh.Stamps("", "")
	mine, failed := p.Stamps("", "")
	if err != nil || failed != nil || fmt.Sprint(stamps) != fmt.Sprint(mine) {
		t.Fatalf("%v, %v; want %v, %v", mine, failed, stamps, err)
	}
}

func TestPrices_Refresh_Files(t *testing.T) {
	one, two := bar("2025-10-01", "10", "11"), bar("2025-10-02", "12", "13")
	t.Run("one that is missing for a while", func(t *testing.T) {
		path := writeFile(t, rowsLine("A", one))
		p, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := os.Rename(path, path+".old"); err != nil {
			t.Fatal(err)
		}
		var refused *RefreshError
		if err := p.Refresh(); !errors.As(err, &refused) || !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if price, err := p.AsOf("2025-10-01").OpenPrice("A"); err != nil || price.String() != "10" {
			t.Error(price, err)
		}
		if err := os.Rename(path+".old", path); err != nil {
			t.Fatal(err)
		}
		if err := p.Refresh(); err != nil {
			t.Error(err)
		}
	})
	t.Run("a link that is turned to another file", func(t *testing.T) {
		first, second := writeFile(t, rowsLine("A", one)), writeFile(t, rowsLine("A", one, two))
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(first, link); err != nil {
			t.Skip(err) // Windows wants a right for it
		}
		p, err := Open(link)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		everythingOf(p.AsOf("2025-10-01"), "A")
		if err := errors.Join(os.Remove(link), os.Symlink(second, link), p.Refresh()); err != nil {
			t.Fatal(err)
		}
		sameAsFresh(t, p, second)
	})
	t.Run("one of two", func(t *testing.T) {
		first, second := writeFile(t, rowsLine("A", one)), writeFile(t, rowsLine("B", one))
		p, err := Open(first, second)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		everythingOf(p.AsOf("2025-10-01"), "A", "B")
		replaceFile(t, second, rowsLine("B", one, two))
		if err := p.Refresh(); err != nil {
			t.Fatal(err)
		}
		sameAsFresh(t, p, first, second)
		replaceFile(t, second, rowsLine("A", one))
		if err := p.Refresh(); err == nil || !strings.Contains(err.Error(), "symbol A is there twice") {
			t.Error(err)
		}
	})
	t.Run("prices that were raw, and are adjusted", func(t *testing.T) {
		adjusted := func(closing string) string {
			return `{"Meta Data": {"2. Symbol": "A"}, "Time Series (Daily)": {
				"2025-10-01": {"1. open": "10", "4. close": "` + closing + `", "5. adjusted close": "5"}, "2025-10-02": {"1. open": "5", "8. split coefficient": "2.0"}}}`
		}
		path := writeFile(t, adjusted("10"))
		p, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.RefuseAdjusted(); err != nil {
			t.Fatal(err)
		}
		replaceFile(t, path, adjusted("5"))
		if err := p.Refresh(); err == nil || !strings.Contains(err.Error(), "holds adjusted prices") {
			t.Error(err)
		}
	})
}

// The actions of an actions file that were shown stay.
func TestPrices_Refresh_Actions(t *testing.T) {
	const split, later = `{"date": "2025-10-02", "symbol": "A", "split": "2:1"}` + "\n", `{"date": "2025-10-03", "symbol": "A", "dividend": 0.5}` + "\n"
	for name, c := range map[string]struct{ is, refused string }{
		"a later one comes":    {split + later, ""},
		"an earlier one comes": {split + `{"date": "2025-10-01", "symbol": "A", "dividend": 1}`, ""},
		"another ratio":        {strings.Replace(split, "2:1", "3:1", 1), "A 2025-10-02: the split was 2:1 and is 3:1 now"},
		"gone":                 {later, "A 2025-10-02: the split was 2:1 and is gone now"},
		"half written":         {split + later[:20], ":2: "},
	} {
		t.Run(name, func(t *testing.T) {
			p := openText(t, rowsLine("A", bar("2025-10-01", "10", "11"), bar("2025-10-02", "5", "6")))
			path := writeFile(t, split)
			if err := p.TellFile(path); err != nil {
				t.Fatal(err)
			}
			everythingOf(p.AsOf("2025-10-02"), "A")
			replaceFile(t, path, c.is)
			err := p.Refresh()
			if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
				t.Fatalf("%v, want %q", err, c.refused)
			}
			want, _, err := readActions(path)
			if c.refused != "" {
				want, err = ParseActions([]byte(split))
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.AsOf("2025-10-09").Actions("A", "")
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%v, %v; want %v", got, err, want)
			}
		})
	}
}

// What was shown stays, though it has left the memory.
func TestPrices_Refresh_Evicted(t *testing.T) {
	one, two, three := bar("2025-10-01", "10", "11"), bar("2025-10-02", "12", "13"), bar("2025-10-03", "14", "15")
	a, b := rowsLine("A", one, two), rowsLine("B", one, two)
	for name, c := range map[string]struct {
		change      func(testing.TB, string, string)
		is, refused string
	}{
		"replaced, and grown":     {replaceFile, rowsLine("A", one, two, three) + b, ""},
		"rewritten, and grown":    {rewriteFile, rowsLine("A", one, two, three) + b, ""},
		"replaced, and another":   {replaceFile, rowsLine("A", bar("2025-10-01", "10", "12"), two) + b, "A 2025-10-01: the close was 11 and is 12 now"},
		"rewritten, and another":  {rewriteFile, rowsLine("A", bar("2025-10-01", "10", "12"), two) + b, "A: a figure up to 2025-10-02 is another than it was shown"},
		"rewritten in the future": {rewriteFile, rowsLine("A", one, bar("2025-10-02", "12", "20")) + b, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, a+b)
			p, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			p.content().maxBars = 2
			everythingOf(p.AsOf("2025-10-02"), "A", "B")
			if p.content().series["A"].bars.Load() != nil {
				t.Fatal("A is still in memory")
			}
			c.change(t, path, c.is)
			err = p.Refresh()
			if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
				t.Fatalf("%v, want %q", err, c.refused)
			}
			if c.refused == "" {
				sameAsFresh(t, p, path)
			}
		})
	}
}

// A series that a view shows for the first time when its content is no longer in force must agree with what is.
func TestPrices_Refresh_EarlierView(t *testing.T) {
	one, two := bar("2025-10-01", "10", "11"), bar("2025-10-02", "12", "13")
	path := writeFile(t, rowsLine("A", one)+rowsLine("B", one))
	p, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	earlier := p.AsOf("2025-10-02")
	replaceFile(t, path, rowsLine("A", one, two)+rowsLine("B", bar("2025-10-01", "10", "12")))
	if err := p.Refresh(); err != nil {
		t.Fatal(err)
	}
	if bars, _, err := earlier.Bars("A", "", "", 0); err != nil || len(bars) != 1 {
		t.Errorf("%v, %v; want the bars of the content of the view", bars, err)
	}
	var changed *ChangedError
	if _, _, err := earlier.Bars("B", "", "", 0); !errors.As(err, &changed) || changed.Was != "11" || changed.Is != "12" {
		t.Errorf("%v", err)
	}
	replaceFile(t, path, rowsLine("A", bar("2025-10-01", "9", "11"))+rowsLine("B", one))
	if err := p.Refresh(); !errors.As(err, &changed) || changed.Was != "10" || changed.Is != "9" {
		t.Errorf("the earlier view has shown A: %v", err)
	}
}

// While others read, files come that are right and files that are not: nobody sees two contents in one view, nor a price that is no
// longer what it was.
func TestPrices_Refresh_Concurrent(t *testing.T) {
	path, days := filepath.Join(t.TempDir(), "prices.jsonl"), []row{}
	line := func(n int, shift string) string {
		var text strings.Builder
		for _, symbol := range []string{"A", "B", "C"} {
			days = days[:0]
			for d := range n {
				days = append(days, bar(string(Stamp("2025-10-01").AddDays(d)), fmt.Sprint(10+d)+shift, "11"))
			}
			text.WriteString(rowsLine(symbol, days...))
		}
		return text.String()
	}
	replaceFile(t, path, line(2, ""))
	p, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { p.Close() }()
	p.content().maxBars = 20
	for _, v := range []View{p.AsOf("2025-10-02"), p.AsStamped().AsOf("2025-10-02")} {
		everythingOf(v, "A", "B", "C")
	}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for n := range 4 {
		readers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				// A file may be replaced while it is read, as often as that is tried.
				if err := p.Refresh(); err != nil && !strings.Contains(err.Error(), "2025-10-01: the open was 10 and is 10.5 now") && !strings.Contains(err.Error(), "is being written") {
					t.Error(err)
					return
				}
				v := p.AsOf("2025-10-02").AsStamped(n%2 == 0)
				for _, symbol := range []string{"A", "B", "C"} {
					if price, err := v.At("2025-10-01").OpenPrice(symbol); err != nil || price.String() != "10" {
						t.Error(price, err)
					}
				}
			}
		})
	}
	for n := range 40 {
		shift := ""
		if n%3 == 1 {
			shift = ".5"
		}
		replaceFile(t, path, line(2+n%7, shift))
	}
	close(done)
	readers.Wait()
}

// Whatever becomes of a file, either what a fresh Open serves is served, or the call is refused, with both values if a figure changed
// that was shown.
func TestPrices_Refresh_Histories(t *testing.T) {
	folder, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(folder, fmt.Sprint(n))
		h := history{shown: map[string]bool{}}
		first := h.draw(t)
		write(t, path, first, n)
		p, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { p.Close() }()
		p.content().maxBars = rapid.SampledFrom([]int{2, maxBars}).Draw(t, "bars in memory")
		served, lost := first, false // lost: what is served is overwritten
		for step := range rapid.IntRange(1, 6).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "a view") {
				at := rapid.SampledFrom(historyDays).Draw(t, "as of")
				h.latest = max(h.latest, at)
				symbol := rapid.SampledFrom(historySymbols).Draw(t, "symbol")
				_, _, err := p.AsOf(Stamp(at)).Bars(symbol, "", "", 0)
				h.shown[symbol] = h.shown[symbol] || len(served[symbol]) > 0 && !isDamage(err)
			}
			next := h.draw(t)
			if rapid.Bool().Draw(t, "mostly the same") {
				next = alike(t, served)
			}
			replaced := rapid.Bool().Draw(t, "replaced")
			if replaced {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			write(t, path, next, n+step+1)
			err := p.Refresh()
			want := h.change(served, next)
			switch {
			case err == nil && want != "":
				t.Fatalf("taken, though %s", want)
			case err == nil:
				served = next
				for _, symbol := range historySymbols {
					h.shown[symbol] = h.shown[symbol] && len(next[symbol]) > 0 // of one that may go, nothing was shown
				}
			case want == "" && (replaced && !lost || !strings.Contains(err.Error(), "rewritten in place")): // of what is rewritten and no longer in memory, a figure that is known only now may seem changed
				t.Fatalf("refused: %v", err)
			case want != "" && !strings.Contains(err.Error(), want) && (replaced && !lost || !strings.Contains(err.Error(), "rewritten in place")):
				t.Fatalf("refused with %v; want %s", err, want)
			}
			lost = err != nil && (lost || !replaced)
			h.same(t, p, served, lost)
		}
	})
}

var (
	historySymbols = []string{"AAAA", "BBBB", "CCCC"} // so different that none is looked at for another
	historyDays    = []string{"2025-10-01", "2025-10-02", "2025-10-03"}
)

// contents is what a file says: by symbol and day, the open and the close.
type contents map[string]map[string][2]string

// history is what has been shown.
type history struct {
	latest string
	shown  map[string]bool
}

func (h *history) draw(t *rapid.T) contents {
	figure := rapid.SampledFrom([]string{"10", "11", "12", ""})
	all := contents{"Z": {"2025-10-01": {"10", "10"}}}
	for _, symbol := range historySymbols {
		days := map[string][2]string{}
		for _, day := range historyDays[:rapid.IntRange(0, 3).Draw(t, "days")] {
			days[day] = [2]string{figure.Draw(t, "open"), figure.Draw(t, "close")}
		}
		if len(days) > 0 {
			all[symbol] = days
		}
	}
	return all
}

// alike is what a file may say next: one figure is another.
func alike(t *rapid.T, was contents) contents {
	next := contents{}
	for symbol, days := range was {
		next[symbol] = map[string][2]string{}
		for day, figures := range days {
			next[symbol][day] = figures
		}
	}
	symbol, day := rapid.SampledFrom(historySymbols).Draw(t, "symbol"), rapid.SampledFrom(historyDays).Draw(t, "day")
	if next[symbol] == nil {
		next[symbol] = map[string][2]string{}
	}
	figures := next[symbol][day]
	figures[rapid.IntRange(0, 1).Draw(t, "which")] = rapid.SampledFrom([]string{"10", "11", "12", "13"}).Draw(t, "figure")
	next[symbol][day] = figures
	return next
}

func write(t *rapid.T, path string, all contents, second int) {
	var text strings.Builder
	for _, symbol := range append([]string{"Z"}, historySymbols...) {
		var rows []row
		for _, day := range historyDays {
			if f, ok := all[symbol][day]; ok {
				rows = append(rows, row{day, [5]string{f[0], "", "", f[1], ""}})
			}
		}
		if len(rows) > 0 {
			text.WriteString(rowsLine(symbol, rows...))
		}
	}
	at := time.Unix(int64(1_700_000_000+second), 0)
	if err := errors.Join(os.WriteFile(path, []byte(text.String()), 0o644), os.Chtimes(path, at, at)); err != nil {
		t.Fatal(err)
	}
}

// change is the beginning of the error with which a change of what was shown is refused, "" if none was.
func (h *history) change(was, is contents) string {
	for _, symbol := range historySymbols {
		if !h.shown[symbol] {
			continue
		}
		for _, day := range historyDays {
			for i, name := range []string{"open", "close"} {
				f, now := was[symbol][day][i], is[symbol][day][i]
				if f == "" || f == now || day > h.latest || day == h.latest && i == 1 {
					continue
				}
				if now == "" {
					return fmt.Sprintf("%s %s: the %s was %s and is gone now", symbol, day, name, f)
				}
				return fmt.Sprintf("%s %s: the %s was %s and is %s now", symbol, day, name, f, now)
			}
		}
	}
	return ""
}

// same fails the test unless the prices have what a file said. Where that was overwritten, a series that is not in memory is damaged.
func (h *history) same(t *rapid.T, p *Prices, want contents, overwritten bool) {
	c := p.content()
	for _, symbol := range historySymbols {
		var bars []packedBar
		if s := c.series[symbol]; s != nil {
			read, err := s.read(false)
			if err != nil && overwritten {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			bars = read.bars
		}
		if len(bars) != len(want[symbol]) {
			t.Fatalf("%s has %d bars, want %d", symbol, len(bars), len(want[symbol]))
		}
		for _, b := range bars {
			spelled := func(n packedDecimal) string {
				if !n.known {
					return ""
				}
				return n.decimal().Decimal.String()
			}
			if got := [2]string{spelled(b.open), spelled(b.close)}; got != want[symbol][string(b.stamp)] {
				t.Fatalf("%s %s: %v, want %v", symbol, b.stamp, got, want[symbol][string(b.stamp)])
			}
		}
	}
}
