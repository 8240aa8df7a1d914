// The forms in which a leaderboard goes into papers and spreadsheets.

package paper

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"mcp-trade/report"
)

// Form is a form of a table.
type Form string

// The forms.
const (
	LaTeX    Form = "latex"
	Markdown Form = "markdown"
	CSV      Form = "csv"
)

// Forms are all of them.
func Forms() []Form { return []Form{LaTeX, Markdown, CSV} }

// Extension is how the name of a file of the form ends.
func (f Form) Extension() string {
	return map[Form]string{LaTeX: "tex", Markdown: "md", CSV: "csv"}[f]
}

// Write writes a leaderboard in a form: for readers, or as CSV with all digits and the names of the columns.
func (b Board) Write(w io.Writer, f Form) error {
	switch f {
	case LaTeX:
		return b.latex(w)
	case Markdown:
		return b.markdown(w)
	case CSV:
		return b.csv(w)
	}
	return fmt.Errorf("there is no form %q: use latex, markdown or csv", f)
}

// latex writes a tabular with the rules of the package booktabs.
func (b Board) latex(w io.Writer) error {
	var text strings.Builder
	text.WriteString("% needs \\usepackage{booktabs}\n\\begin{tabular}{")
	line := make([]string, len(b.Columns))
	for i, c := range b.Columns {
		text.WriteString(map[bool]string{true: "l", false: "r"}[c.Text])
		line[i] = latexText(c.Head)
	}
	text.WriteString("}\n\\toprule\n" + strings.Join(line, " & ") + " \\\\\n\\midrule\n")
	for _, row := range b.Rows {
		for i, cell := range row.Cells {
			if line[i] = latexText(cell); !b.Columns[i].Text {
				line[i] = latexNumber(cell)
			}
		}
		text.WriteString(strings.Join(line, " & ") + " \\\\\n")
	}
	text.WriteString("\\bottomrule\n\\end{tabular}\n")
	_, err := io.WriteString(w, text.String())
	return err
}

var latexSigns = strings.NewReplacer(
	`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "%", `\%`, "&", `\&`, "$", `\$`, "#", `\#`, "_", `\_`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`,
	"<", `\textless{}`, ">", `\textgreater{}`, "|", `\textbar{}`,
)

// latexText is a text without signs that LaTeX obeys.
func latexText(text string) string { return latexSigns.Replace(text) }

// latexNumber is a number with a minus sign, and with a thin space before a percent sign; an en dash if it is not known.
func latexNumber(cell string) string {
	if cell == "-" {
		return "--"
	}
	text, negative := strings.CutPrefix(latexText(cell), "-")
	text = strings.Replace(text, ` \%`, `\,\%`, 1)
	if negative {
		return "$-$" + text
	}
	return text
}

// markdown writes a table of GitHub's Markdown.
func (b Board) markdown(w io.Writer) error {
	signs := strings.NewReplacer("|", `\|`, `\`, `\\`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`)
	var text strings.Builder
	line := func(cell func(i int) string) {
		for i := range b.Columns {
			text.WriteString("| " + cell(i) + " ")
		}
		text.WriteString("|\n")
	}
	line(func(i int) string { return signs.Replace(b.Columns[i].Head) })
	line(func(i int) string { return map[bool]string{true: "---", false: "---:"}[b.Columns[i].Text] })
	for _, row := range b.Rows {
		line(func(i int) string { return signs.Replace(row.Cells[i]) })
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func (b Board) csv(w io.Writer) error {
	rows := csv.NewWriter(w)
	var names []string
	for _, c := range b.Columns {
		names = append(names, c.Name)
	}
	_ = rows.Write(names) // Error tells
	for _, row := range b.Rows {
		cells := slices.Clone(row.Exact)
		for i, c := range b.Columns {
			if c.Text {
				cells[i] = report.Cell(cells[i])
			}
		}
		_ = rows.Write(cells)
	}
	rows.Flush()
	return rows.Error()
}
