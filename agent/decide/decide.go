// Package decide holds the deciders that come with the program: strategies without a model (strategies.go), and the trades of a
// ledger once more (recorded.go). This file has their table, from which help, completion and errors are made.
package decide

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"mcp-trade/agent"
)

// Row is a decider that can be asked for.
type Row struct {
	Name     string
	Argument string // how it is written behind the name: "" for none, "[:N]" if it can be left out, ":FILE" if not
	Example  string // of the name with an argument, for a shell to complete
	Does     string // in a phrase
	open     func(arg string) (agent.Decider, error)
}

// Table returns the deciders, in the order in which readers see them.
func Table() []Row {
	return []Row{
		{"equal-weight", "", "equal-weight", "holds every symbol in equal parts, in whole lots; it says what a part was too small for",
			func(string) (agent.Decider, error) { return agent.DeciderFunc(equalWeight), nil }},
		{"momentum", "[:N]", "momentum:5", "holds the N symbols that gained most lately (5)", openMomentum},
		{"random", "[:SEED]", "random:1", "trades at random, the same for the same seed (1)", openRandom},
		{"recorded", ":FILE", "recorded:", "repeats the trades in a ledger (position.jsonl)", recorded},
	}
}

// ParseAccount reads an account written as NAME=DECIDER or NAME=DECIDER:ARG. spec is what stands behind the equals sign.
func ParseAccount(text string) (name, spec string, d agent.Decider, err error) {
	name, spec, ok := strings.Cut(text, "=")
	if !ok {
		return "", "", nil, fmt.Errorf("%q is not NAME=DECIDER[:ARG]", text)
	}
	d, err = New(spec)
	return name, spec, d, err
}

// New returns the decider of a name in the table, with its argument behind a colon.
func New(spec string) (agent.Decider, error) {
	name, arg, given := strings.Cut(spec, ":")
	var known []string
	for _, row := range Table() {
		known = append(known, row.Name+row.Argument)
		switch {
		case row.Name != name:
		case given && row.Argument == "":
			return nil, fmt.Errorf("the decider %s takes no argument", name)
		default:
			return row.open(arg)
		}
	}
	last := len(known) - 1
	return nil, fmt.Errorf("there is no decider %q; use %s or %s", name, strings.Join(known[:last], ", "), known[last])
}

func openMomentum(arg string) (agent.Decider, error) {
	n, err := strconv.Atoi(cmp.Or(arg, "5"))
	if err != nil || n < 1 || n > 1000 {
		return nil, fmt.Errorf("momentum:%s: the argument is how many symbols to hold, 1 to 1000", arg)
	}
	return momentum(n), nil
}

func openRandom(arg string) (agent.Decider, error) {
	seed, err := strconv.ParseUint(cmp.Or(arg, "1"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("random:%s: the argument is a seed, a whole number of 0 or more", arg)
	}
	return random(seed), nil
}
