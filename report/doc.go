// Package report tells what accounts were worth: their value day after day, the figures that follow from it, and how they
// stand against a benchmark. It knows ledger lines and a market.View, and nothing of files, Redis or MCP.
//
// # Value
//
// A period is a trading day: a day on which any symbol of the account's market has a bar. The value of a period is the cash
// and the holdings of the newest row of that day or of one before it, each holding at its last known close up to the end of
// that day: the close of the day's last bar that has one, else that of a day before, however long ago. So a symbol that ended
// keeps its last close, and one dead symbol blanks no day. A close of an earlier trading day is stale: the period names it
// with its date and with the trading days of its market since then, Metrics.StaleDays counts such periods, Metrics.EndStale is
// the oldest close that the last value counts, and a warning sums them up. The run of an account values its last day by the
// same rule (package ledger has it), so both tell the same number.
//
// Where a holding never had a close the value is unknown: null, never zero, and a warning names the day and the symbol.
// The value at close has the day of the last known value.
//
// The opening is the value of the first row, on the eve of the first day if there were trades on that day already; in a report
// from a later date it is the last value known before that date.
//
// # Returns
//
// V0, V1, ... Vn are the known values, the opening's first; r1 ... rn the returns between them, ri = Vi/V(i-1) - 1. Where a
// value is unknown, one return spans the gap. A stale holding adds nothing to a return until it has a close again. Returns and
// rates are fractions: 0.01 is 1 %. A is the number of periods in a year of the account's market, see [market.Market].
// rf is the risk-free rate of a year, 0 unless given. mean is the arithmetic mean. sd, cov and var are those of a sample (n-1
// degrees of freedom). P is the highest value so far, the opening's included. A drawdown lasts from the day of P to the first
// day at P again, or to the end; its length is counted in trading days with a known value and in calendar days.
//
//	value at opening              V0
//	value at close                Vn
//	total return                  Vn/V0 - 1
//	annualized return             (Vn/V0)^(365/d) - 1, with d calendar days from V0 to Vn
//	volatility                    sd(r) * sqrt(A)
//	Sharpe ratio                  (mean(r) - rf/A) / sd(r) * sqrt(A)
//	Sortino ratio                 (mean(r) - rf/A) / sqrt(sum(min(r,0)^2)/n) * sqrt(A): the downside over all n returns, against 0
//	Calmar ratio                  annualized return / max drawdown
//	max drawdown                  the highest of 1 - V/P
//	best day                      the highest of r
//	worst day                     the lowest of r
//	win rate (days)               fraction of the returns above 0
//	VaR (95 %)                    the 5 % quantile of r, on the line between the returns of rank floor(0.05(n-1)) and the next, from 0
//	CVaR (95 %)                   mean of the floor(0.05(n-1)) + 1 lowest of r
//	tail ratio                    |95 % quantile of r| / |5 % quantile of r|
//	skew                          n/((n-1)(n-2)) * sum(((r - mean)/sd)^3)
//	excess kurtosis               n(n+1)/((n-1)(n-2)(n-3)) * sum(((r - mean)/sd)^4) - 3(n-1)^2/((n-2)(n-3))
//
// # Trades
//
// A sale closes a trade with the shares that were bought first of those held (first in, first out). Its gain is what it
// brought, less its fees, less what was paid for the same shares with their fees. A sale of shares whose cost is not known
// closes none. Where the book after a day's last row differs from what the trades leave, the book counts.
//
//	win rate (trades)             fraction of the closed trades with a gain above 0
//	profit factor                 sum of the gains / sum of the losses of closed trades
//	holding time                  mean of the days of closed trades, from the purchase of the oldest share to the sale
//	turnover                      (bought + sold)/2 / mean(V1 ... Vn) * A / number of periods
//	exposure                      mean over the periods of 1 - cash/V
//	fees                          sum of the fees of purchases and sales
//	slippage                      sum of (price - open) * amount of purchases and (open - price) * amount of sales, with the open of the
//	                              bar that the trade was filled in; below 0 if prices were better than that
//
// What a symbol added to the value is a sum of exact decimals: its value at close less that at opening, and what sales, dividends and
// other corporate actions brought less what purchases took, with their fees. All symbols, and what no row explains (trades that a ledger
// has lost, the rounding of other programs), make value at close less value at opening. Realized are the gains of closed trades;
// unrealized is the rest but dividends. Of more than 100 symbols those of the smallest gains and losses are told as one. The costs of trades
// are the fees by their names in the ledger and the slippage, also as a fraction of the value of all trades.
// Money is told to 8 decimals, the finest that an account of any market has.
//
// # Model
//
// A run records what its model used; of a ledger without such a record these figures are unknown.
//
//	orders refused                count of the orders that the server refused during the run
//	tokens                        sum of the tokens that the model read and wrote
//	cost                          what those tokens cost, where the run knew their prices
//	tokens per percent            tokens / (100 * total return)
//	cost per percent              cost / (100 * total return)
//	tokens per percent of excess  tokens / (100 * excess return)
//	cost per percent of excess    cost / (100 * excess return)
//
// # Benchmark
//
// b1 ... bm are the returns of the benchmark between the same dates as those of the account, r1 ... rm; a date without a value
// of the benchmark is left out of both.
//
//	benchmark return              (1+b1)...(1+bm) - 1
//	excess return                 (1+r1)...(1+rm) - (1+b1)...(1+bm)
//	alpha                         A * (mean(r) - rf/A - beta * (mean(b) - rf/A))
//	beta                          cov(r, b) / var(b)
//	tracking error                sd(r - b) * sqrt(A)
//	information ratio             mean(r - b) / sd(r - b) * sqrt(A)
//	up capture                    sum of r / sum of b, over the pairs with b > 0
//	down capture                  sum of r / sum of b, over the pairs with b < 0
//
// # Months, windows, drawdowns
//
//	months, years      (1+r1)...(1+rk) - 1, over the returns that end in it; of the benchmark over the returns that both have
//	rolling figures    volatility, Sharpe ratio and beta of the newest 60 returns, of beta the newest 60 pairs; none before
//	drawdowns          the 10 deepest of max(1 - V/P), each from the day of P to the first day at P again, so that no two overlap
//	correlation        cov(r, b) / (sd(r) * sd(b)), of accounts over the days that both have, from 20 returns
//
// # Where libraries differ
//
// VaR, CVaR and tail ratio are those of empyrical: of the returns as they were, with quantiles between two returns as numpy and pandas
// have them. quantstats takes VaR from a normal distribution. Skew and kurtosis are those of a sample, as in pandas and quantstats;
// scipy's default is that of a population. The annualized return counts calendar days over 365; empyrical and quantstats count
// returns over A, ffn 365.25 days. Sortino takes its target 0 and subtracts rf above the line only; empyrical takes rf/A on both sides.
// Captures are ratios of sums; empyrical's are of compound annual returns. Alpha is arithmetic, as in quantstats; empyrical compounds it.
// quantstats dates a drawdown from the first day below the peak to the last one.
//
// # Certainty
//
// The 95 % intervals rest on the long-run variance of the returns, which counts that returns of neighbouring days depend on each
// other; package interval has the method, its sources, how often it holds and its limits. Nothing is drawn at random.
//
//	total return       exp(n*g) - 1, with g the interval of the mean of ln(1+r), from 10 returns
//	Sharpe             from 20 returns; beta from 20 pairs of returns; alpha from a year
//	ahead              (1+r1)...(1+rm)/((1+b1)...(1+bm)) - 1, with the interval of the mean of ln(1+r) - ln(1+b), from 10 pairs
//
// The interval of the total return says which growth the account has on other such days; what it earned on these is known.
// There is no interval of the max drawdown: it is a fact of these days.
//
// Each account is compared with the benchmark, or with a return of 0 if there is none, and each pair of accounts with each other, over the days
// that both have. p is how likely so large a difference is if both grow equally. Who looks at many accounts finds one far ahead by
// chance, so p is adjusted by Holm's method for all accounts of the report, and for pairs for all pairs. Below 0.05 the
// difference is more than chance explains. Leaving out accounts that were run makes the adjusted p too low.
// The returns needed are those of a test that finds a difference of this size in four of five samples.
//
// # Variants of an experiment
//
// A variant is a set of accounts that differ by chance alone. Its figures are means over its runs, on the days that all of its accounts have. A
// mean lies elsewhere on other days, and with other runs of the same model, so its variance counts both:
//
//	V       Vd + Vr - Ve, at least Vd and at least Vr
//	Vd      long-run variance of the daily means over the runs, / n days
//	Vr      variance of the means of the runs, / R runs; of two variants the sum of both
//	Ve      mean square of what neither the day nor the run explains, / (n R)
//
// The degrees of freedom are those of Welch and Satterthwaite. A single run tells nothing of others: its interval is that of its
// account. Repetitions of one seed may be the same to the letter, so of several seeds each counts as one run, the mean of its
// repetitions. Returns needed are those that so many runs take; if their lasting parts hide the difference on any number of days there
// are none. The p-values of all variants of the experiment against the benchmark are one family of Holm's method, and those of all
// pairs another. Variants of different periods are not compared.
//
// On the days of a period alone, analysis of variance of ln(1 + total return) tells the runs of a variant from the variants: standard
// deviations within and between, and the part of the variance that the variant explains. It takes two variants of three runs.
//
// The cost per percent of excess of a variant is that of all its accounts over the sum of their excess returns in percent.
//
// # Few periods
//
// Without a known value nothing of the above is defined. With one, the values at opening and close are. With two, and so one return,
// the total return, the drawdown and the best and worst day are. A figure of so few returns that it tells next to nothing is
// withheld: deviations take 10 returns, ratios of a mean and a deviation, alpha and beta 20, captures 60. What is annualized of returns
// (annualized return, Calmar, alpha) takes a year of calendar days.
//
// A figure that is withheld, or that is not defined because a divisor is 0, is null, and Metrics.Undefined says why. No figure
// is ever NaN or infinite.
//
// # Ledgers
//
// A ledger is verified on the way, as package ledger does it, whatever range is reported: each row against the one before it,
// the prices and what was noted of it elsewhere. An account whose ledger is not verified has no rank and is listed below the
// others; its figures are those of the ledger as it is. What is partly verified says why, and has its rank.
//
// # AI-Trader's figures
//
// AI-Trader published figures by two programs. The method "upstream" adds those of the one that it had until 2025-11-20: one value
// for each day with a row, at the closes of that day, and none where a holding has no close on it;
// Sharpe = (mean(r)*A - 0.02) / (sd(r)*sqrt(A)); the win rate is that of days; the profit-loss ratio is the mean gain over the
// mean loss of days; of equal peaks a drawdown starts at the first; ratios are rounded to 4 decimals.
//
// The method "upstream-2" adds those of the program that followed, as it began: one value for each row, the first one included, at the last
// closes up to the row's stamp; deviations are those of a population; the Sortino ratio, which it calls SR, takes the deviation of the
// returns below 0 from their own mean; the drawdown begins after the first return; the annualized return is (Vn/V0)^(A/n) - 1 with n rows.
// More trades on a day thus change every one of these figures.
//
// In both A is 365 for crypto and else 252; in the later one 252*6.5 for a ledger with times of day. Both programs count a holding
// without a price as 0; here the day or the row is left out.
package report
