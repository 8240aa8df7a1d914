// What a model says at the end of a day, held against the ledger.

package llm

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
)

// Statements that leave no doubt about what they state. Everything else is passed over: a warning that is wrong is worse than
// one that is missing.
// They are made when a day ends: every start would pay for them.
var (
	cashClaim = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b(?:cash (?:balance|left|remaining)|(?:remaining|final|ending|current) cash(?: balance)?|cash)\**(?: is| of|:|\s=)\**\s*\$?([0-9][0-9,]*(?:\.[0-9]+)?)`)
	})
	holdingClaim = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^[ \t]*[-*•]?[ \t]*\**([A-Z][A-Z0-9.\-]{0,14})\**[ \t]*:\**[ \t]*([0-9][0-9,]*)[ \t]+shares?\b`)
	})
)

// discrepancies lists where a text states a cash or a holding that the book does not have.
func discrepancies(text string, book ledger.Book) []string {
	var differ []string
	if claims := cashClaim().FindAllStringSubmatch(text, -1); len(claims) > 0 {
		claim := claims[len(claims)-1][1] // the last one said
		if stated, ok := number(claim); ok && stated.Sub(book.Cash()).Abs().GreaterThan(precision(claim)) {
			differ = append(differ, fmt.Sprintf("it states %s of cash, the ledger has %s", stated, book.Cash()))
		}
	}
	for _, claim := range holdingClaim().FindAllStringSubmatch(text, -1) {
		have := book.Positions.Amount(claim[1])
		if stated, ok := number(claim[2]); ok && !stated.Equal(have) {
			differ = append(differ, fmt.Sprintf("it states %s shares of %s, the ledger has %s", stated, claim[1], have))
		}
	}
	return differ
}

func number(text string) (decimal.Decimal, bool) {
	d, err := ledger.ParseDecimal(strings.ReplaceAll(text, ",", ""))
	return d, err == nil
}

// precision is how far a stated number may be off by rounding.
func precision(claim string) decimal.Decimal {
	_, fraction, _ := strings.Cut(claim, ".")
	return decimal.New(1, -int32(len(fraction)))
}
