//go:build unix

package filestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// childEnv names the work of a test binary that a test started as a process of its own.
const childEnv = "FILESTORE_TEST_CHILD"

func TestMain(m *testing.M) {
	work := map[string]func(dir, name, count string) error{"append": appendAndTell, "trade": tradeUntilHalted, "fill": appendUntilFull, "lease": leaseUntilKilled}
	if do := work[os.Getenv(childEnv)]; do != nil {
		if err := do(os.Args[1], os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// appendAndTell appends count lines to the account "a" and prints the order id of each that was acknowledged.
func appendAndTell(dir, name, count string) error {
	var n int
	if _, err := fmt.Sscan(count, &n); err != nil {
		return err
	}
	s := filestore.New(dir, dir)
	for i := range n {
		orderID := fmt.Sprintf("%s-%d", name, i)
		_, err := storetest.AppendNext(context.Background(), s, "a", func(id int64) []byte {
			return storetest.Line(id, orderID)
		})
		if err != nil {
			return err
		}
		fmt.Println(orderID)
	}
	return s.Close()
}

// tradeUntilHalted appends to the account "a" as fast as it can. It prints "halted" when the session has a HALT, and
// "trading" once it has appended two lines without one, for count times.
func tradeUntilHalted(dir, _, count string) error {
	var rounds int
	if _, err := fmt.Sscan(count, &rounds); err != nil {
		return err
	}
	s := filestore.New(dir, dir)
	next, appended := int64(0), 0
	for rounds > 0 {
		c := storetest.Commit("a", next, "")
		c.Guards = []store.Guard{{Backend: s, Expect: values{halt: ""}, Update: values{ifTrade: `true`}}}
		switch err := s.Append(context.Background(), c); {
		case err == nil:
			if next, appended = next+1, appended+1; appended == 2 {
				fmt.Println("trading")
			}
		case !errors.Is(err, store.ErrSessionChanged):
			return err
		case appended >= 2:
			fmt.Println("halted")
			appended = 0
			rounds--
		}
	}
	return s.Close()
}

// child starts a process that does its work for count times.
func child(t *testing.T, work, dir, name string, count int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, dir, name, fmt.Sprint(count))
	cmd.Env = append(os.Environ(), childEnv+"="+work)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// Processes on one folder lose nothing.
func TestStore_Append_SeveralProcesses(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 4, 50
	type process struct {
		cmd *exec.Cmd
		out *bufio.Scanner
	}
	var all []process
	for w := range writers {
		cmd, out := child(t, "append", dir, fmt.Sprintf("p%d", w), each)
		all = append(all, process{cmd, out})
	}
	var told []string
	for _, p := range all {
		for p.out.Scan() {
			told = append(told, p.out.Text())
		}
		if err := p.cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	wantOrders(t, filestore.New(dir, dir), told, writers*each)
}

// wantOrders checks that every order that was acknowledged is there once, in a ledger of at least that many lines.
func wantOrders(t *testing.T, s store.Store, acknowledged []string, atLeast int) {
	t.Helper()
	count := map[string]int{}
	texts := storetest.Whole(t, s, "a")
	for _, text := range texts {
		_, orderID, _ := storetest.LineID([]byte(text)) // Whole has read them already
		count[orderID]++
	}
	for _, orderID := range acknowledged {
		if count[orderID] != 1 {
			t.Errorf("order %s was acknowledged and is there %d times", orderID, count[orderID])
		}
	}
	if len(acknowledged) < atLeast || len(texts) < atLeast {
		t.Errorf("%d orders acknowledged, %d lines, want %d", len(acknowledged), len(texts), atLeast)
	}
}

// A killed process leaves what it acknowledged.
func TestStore_Append_KilledProcess(t *testing.T) {
	dir := t.TempDir()
	var told []string
	for kill := range 30 {
		cmd, out := child(t, "append", dir, fmt.Sprintf("k%d", kill), 1_000_000)
		// The moment is anywhere in the work that follows some acknowledged line.
		for n := 0; n < 1+kill%5 && out.Scan(); n++ {
			told = append(told, out.Text())
		}
		moment := time.AfterFunc(time.Duration(kill)*37*time.Microsecond, func() { _ = cmd.Process.Kill() })
		for out.Scan() {
			told = append(told, out.Text())
		}
		_ = cmd.Wait() // it was killed
		moment.Stop()
	}
	s := filestore.New(dir, dir)
	wantOrders(t, s, told, 30)
	n := int64(len(storetest.Whole(t, s, "a")))
	appendLine(t, s, n) // no lock is left behind
}

// The trader and the operator are two processes. Once the halt is set, the ledger has come to its end.
func TestStore_Append_HaltOfAnotherProcess(t *testing.T) {
	testenv.Slow(t)
	dir := t.TempDir()
	const rounds = 60
	operator := filestore.New(dir, dir)
	cmd, out := child(t, "trade", dir, "trader", rounds)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	head := func() string {
		head, _, err := operator.Head(t.Context(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		return string(head)
	}
	says := func(want string) {
		if !out.Scan() || out.Text() != want {
			t.Fatalf("the trader says %q, want %q", out.Text(), want)
		}
	}
	for range rounds {
		says("trading")
		if err := operator.SetValues(t.Context(), values{halt: `true`}, 0); err != nil {
			t.Fatal(err)
		}
		before := head()
		says("halted")
		if after := head(); after != before {
			t.Fatalf("the head was %s at the halt and is %s in the end", before, after)
		}
		if err := operator.ClearValues(t.Context(), halt); err != nil {
			t.Fatal(err)
		}
	}
}

// appendUntilFull appends to the account "a" with room for one line and a half each time, and prints what is answered.
// A disk that is full shows when a write comes back short, as one beyond the size that a process may give a file does.
func appendUntilFull(dir, _, count string) error {
	var n int64
	if _, err := fmt.Sscan(count, &n); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	s := filestore.New(dir, dir)
	for id := range n {
		for _, room := range []int{10, len(line(id)) + 1} {
			limit.Cur = uint64(len(lines(id)) + room)
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
				return err
			}
			err := s.Append(context.Background(), storetest.Commit("a", id, ""))
			_, there := os.Stat(s.LedgerFile("a"))
			fmt.Println(err, there == nil)
		}
	}
	return s.Close()
}

// A full disk leaves the ledger as it was.
func TestStore_Append_FullDisk(t *testing.T) {
	dir := t.TempDir()
	cmd, out := child(t, "fill", dir, "", 3)
	for id := range 3 {
		if out.Scan(); !strings.Contains(out.Text(), "too large") || strings.HasSuffix(out.Text(), "true") != (id > 0) {
			t.Errorf("line %d on a full disk: %s", id, out.Text())
		}
		if out.Scan(); out.Text() != "<nil> true" {
			t.Errorf("line %d with room for it: %s", id, out.Text())
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	wantFile(t, filestore.New(dir, dir).LedgerFile("a"), lines(3))
}
