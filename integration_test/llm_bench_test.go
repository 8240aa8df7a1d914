// What a run of language models costs beside the models.

package integration_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/market"
)

// lag measures how long a run takes from the reply of a model to the next request, its own work and that of the servers.
type lag struct {
	mu      sync.Mutex
	replied map[string]time.Time // by model
	gaps    []time.Duration
}

func (l *lag) watch(script modeltest.Script) modeltest.Script {
	return func(r modeltest.Request) modeltest.Reply {
		now := time.Now()
		reply := script(r)
		l.mu.Lock()
		defer l.mu.Unlock()
		if at, ok := l.replied[r.Model]; ok {
			l.gaps = append(l.gaps, now.Sub(at))
		}
		l.replied[r.Model] = time.Now()
		return reply
	}
}

// threeTurns is a day of a look, an order, and the end.
func threeTurns(r modeltest.Request) modeltest.Reply {
	switch r.Turn {
	case 0:
		return modeltest.Do(modeltest.To("get_price_history", map[string]any{"symbol": "SYN03"}))
	case 1:
		return modeltest.Do(modeltest.Order("buy", "SYN03", 1))
	}
	return modeltest.Say("Done. <FINISH_SIGNAL>")
}

// BenchmarkLanguageModels runs accounts over 60 days, with models that reply at once.
func BenchmarkLanguageModels(b *testing.B) {
	prices, err := market.Open(synthetic)
	if err != nil {
		b.Fatal(err)
	}
	days, err := prices.Stamps("", "")
	if err != nil {
		b.Fatal(err)
	}
	prices.Close()
	for _, count := range []int{1, 20} {
		b.Run(fmt.Sprintf("%d accounts", count), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				l := &lag{replied: map[string]time.Time{}}
				model := modeltest.Start(b, l.watch(threeTurns))
				p := onFiles(b)
				p.prices = synthetic
				var accounts []string
				for i := range count {
					accounts = append(accounts, fmt.Sprintf("model-%02d", i))
				}
				args := append(p.llm(b, llmRun{url: model.URL, from: string(days[0]), to: string(days[60]), cash: "1000000", accounts: accounts}), "--parallel", strconv.Itoa(count))
				b.StartTimer()
				cmd := p.command(args...)
				cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
				began := time.Now()
				peak, files, err := watched(cmd.Start, cmd.Wait, func() int { return cmd.Process.Pid })
				took := time.Since(began)
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				steps := float64(len(l.gaps) + count)
				if want := float64(60 * 3 * count); steps != want {
					b.Fatalf("%v steps, want %v", steps, want)
				}
				slices.Sort(l.gaps)
				b.ReportMetric(float64(l.gaps[len(l.gaps)/2].Microseconds())/1000, "ms/step-p50")
				b.ReportMetric(float64(l.gaps[len(l.gaps)*99/100].Microseconds())/1000, "ms/step-p99")
				b.ReportMetric(float64(peak)/1024/float64(count), "MB/account")
				b.ReportMetric(float64(files)/float64(count), "files/account")
				used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() // with those of the servers
				b.ReportMetric(float64(used.Microseconds())/1000/steps, "cpu-ms/step")
				b.ReportMetric(float64(took.Microseconds())/1000/steps, "ms/step")
				b.StartTimer()
			}
		})
	}
}

// watched runs a command and returns the most memory that it and its servers had resident, in KiB, and the most files that
// it had open itself.
func watched(start, wait func() error, pid func() int) (peak, files int, err error) {
	if err := start(); err != nil {
		return 0, 0, err
	}
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			total := resident(pid())
			for _, child := range children(pid()) {
				total += resident(child)
			}
			peak = max(peak, total)
			if open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid())); err == nil {
				files = max(files, len(open))
			}
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	err = wait()
	close(done)
	<-stopped
	return peak, files, err
}

func children(pid int) []int {
	var found []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list) // of a thread that may be gone by now
		for _, field := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(field); err == nil {
				found = append(found, n)
			}
		}
	}
	return found
}

func resident(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // of a process that may be gone by now
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(fields[0])
	return n
}
