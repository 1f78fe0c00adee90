package docs

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// longestSentence is the most words that a sentence of a message, of a help text or of a page may have. A colon ends a
// sentence, too, and a list of names in code is one word.
const longestSentence = 25

// unwritten lists the pages whose sentences have not been rewritten yet, because other work changes them now. Nothing may
// be added here.
var unwritten = map[string]bool{
	"architecture.md": true,
	"operations.md":   true,
	"performance.md":  true,
	"revocation.md":   true,
}

// wrong lists what no text may say, with what to say instead. Each pattern is applied to one sentence.
var wrong = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{words(`anew|once more`), "again"},
	{words(`beside`), "next to, in addition to, apart from, during"},
	{words(`mend(s|ed|ing)?`), "fix"},
	{words(`for ever`), "forever, permanently"},
	{words(`belongs? into`), "goes into"},
	{words(`who(so)?ever|whom`), "the caller, the user, a member who, anyone who"},
	{words(`somebody|anybody|everybody`), "someone, a user, the caller"},
	{words(`(could|would|may|might|can|must|or) else|all else`), "otherwise"},
	{regexp.MustCompile(`(?i)(^|, )else\b`), "otherwise"},
	{words(`(could|would|may|might|can) not else`), "otherwise"},
	{words(`lest|hence|thus|thereby|whereby|wherein|therein|thereof|thereupon|upon|shall`), "a common word"},
	{words(`such a one|a such|so that not`), "plain if, because, so"},
	{words(`as (is|are) (the|a|an|each|every)`), "and so is the"},
	{words(`of no use|be no \w+`), "not useful, not be a"},
	{words(`needs? not`), "does not have to"},
	{words(`(stands|stood|lies) (in|on|at|there|apart|above|below|under|behind)`), "is in, is on"},
	{words(`lie|lies|lay`), "is, are, was"},
	{words(`and that is the (most|least)`), "already has the maximum of"},
	{words(`bears?|shelf|shelves|twins?|doors?|rooms?`), "the field's term, not a metaphor"},
	{words(`(organi|authori|recogni|normali|initiali|seriali|synchroni|minimi|optimi|summari|canonicali|reali)s(e|ed|es|ing|ation|ations)`), "American spelling: -ize"},
	{words(`(behavi|col|fav|neighb|hon)our\w*|licences?|cancell(ed|ing)|whilst|amongst|grey|centre|defence`), "American spelling"},
	{regexp.MustCompile(`^(What (is|was|are|were|has|had)|Who) .*\.$`), "the X, callers who"},
}

func words(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b(` + pattern + `)\b`) }

// isNo finds "is no X", which is "is not an X". "There is no X" and "is no longer" are plain English.
var isNo = regexp.MustCompile(`(?i)(\w+),? (is|are|was|were) no (\w+)`)

func TestTextIsPlainEnglish(t *testing.T) {
	for _, source := range []struct {
		name string
		read func(*testing.T) []text
	}{{"messages", messages}, {"help", helpTexts}, {"openapi", openAPITexts}, {"pages", pageTexts}} {
		t.Run(source.name, func(t *testing.T) {
			found := source.read(t)
			if len(found) < 100 {
				t.Errorf("%d texts: this test looks in the wrong place", len(found))
			}
			for _, text := range found {
				for _, fault := range faults(text.text) {
					t.Errorf("%s: %s", text.place, fault)
				}
			}
		})
	}
}

func TestPlainEnglishIsToldFromOther(t *testing.T) {
	for _, text := range []string{
		"Write it anew.", "Ask somebody who holds the role.", "The file is no backup that can be used.", "Else the server refuses.",
		"It could else reach into them.", "What is not known is refused.", "Who may not read it gets a 404.", "Mend the network.",
		strings.Repeat("word ", longestSentence+1) + "end.",
	} {
		if len(faults(text)) == 0 {
			t.Errorf("%q is not refused", text)
		}
	}
	for _, text := range []string{
		"There is no project with ID %q.", "The token is no longer valid.", "Nothing else changes.", "What is a lease?",
		"Every change is recorded. " + strings.Repeat("word ", longestSentence-1) + "end.",
		"Call `" + strings.Repeat("word ", longestSentence+1) + "`.",
	} {
		for _, fault := range faults(text) {
			t.Errorf("%q is refused: %s", text, fault)
		}
	}
}

// faults tells what is wrong with the words and the length of the sentences of a text.
func faults(text string) (found []string) {
	for _, sentence := range sentences(text) {
		short := sentence
		if len(short) > 150 {
			short = short[:150] + "..."
		}
		for _, phrase := range wrong {
			if hit := phrase.pattern.FindString(sentence); hit != "" {
				if len(hit) > 30 {
					hit = hit[:30]
				}
				found = append(found, strconv.Quote(hit)+" (write: "+phrase.instead+") in: "+short)
			}
		}
		for _, hit := range isNo.FindAllStringSubmatch(sentence, -1) {
			if !strings.EqualFold(hit[1], "there") && hit[3] != "longer" && hit[3] != "more" && hit[3] != "less" {
				found = append(found, strconv.Quote(hit[0])+" (write: is not a) in: "+short)
			}
		}
		if n := len(strings.Fields(sentence)); n > longestSentence {
			found = append(found, strconv.Itoa(n)+" words, at most "+strconv.Itoa(longestSentence)+", in: "+short)
		}
	}
	return found
}

var (
	inCode      = regexp.MustCompile("``[^`]+``|`[^`]*`")
	codeList    = regexp.MustCompile(`\bX((,| and| or|, and|, or) X)+\b`)
	link        = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	endSentence = regexp.MustCompile(`([.!?:][)"'*_]*)\s+`)
)

func sentences(text string) []string {
	text = link.ReplaceAllString(codeList.ReplaceAllString(inCode.ReplaceAllString(text, "X"), "X"), "$1")
	text = strings.NewReplacer("e.g. ", "e.g., ", "i.e. ", "i.e., ", " ... ", " … ", "**", "").Replace(text)
	return strings.Split(endSentence.ReplaceAllString(text, "$1\x00"), "\x00")
}

// text is something that a person reads, and where it is written.
type text struct{ place, text string }

// endMessage ends a part of a message: Go's errors say after a semicolon what to do.
var endMessage = regexp.MustCompile(`\n|; | \| `)

// messages returns the string literals of the product that are sentences: errors, log lines and what commands print.
func messages(t *testing.T) (found []text) {
	everyFile(t, func(path string, files *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.ImportSpec, *ast.Field:
				return isFunc(node)
			case ast.Expr:
				if literal, whole := folded(node); whole {
					place := path + ":" + strconv.Itoa(files.Position(node.Pos()).Line)
					for _, line := range endMessage.Split(literal, -1) {
						if isSentence(line) {
							found = append(found, text{place, strings.TrimSpace(line)})
						}
					}
					return false
				}
			}
			return true
		})
	})
	return found
}

// isFunc tells whether a node is a field whose type may have a body.
func isFunc(node ast.Node) bool {
	_, ok := node.(*ast.Field)
	return ok && node.(*ast.Field).Tag == nil
}

// folded returns the text of a literal, or of literals that are added. What is added that is not a literal is an X.
func folded(node ast.Expr) (string, bool) {
	switch node := node.(type) {
	case *ast.BasicLit:
		if node.Kind == token.STRING {
			value, err := strconv.Unquote(node.Value)
			return value, err == nil
		}
	case *ast.BinaryExpr:
		left, leftOK := folded(node.X)
		right, rightOK := folded(node.Y)
		if node.Op == token.ADD && (leftOK || rightOK) {
			return orX(left, leftOK) + orX(right, rightOK), true
		}
	}
	return "", false
}

func orX(text string, known bool) string {
	if known {
		return text
	}
	return "X"
}

var (
	sql       = regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WHERE|FROM|JOIN|WHEN|AND|ORDER BY|VALUES|SET)\b`)
	threeWord = regexp.MustCompile(`[\pL%]+,? [\pL%]+,? [\pL%]+`)
)

func isSentence(literal string) bool {
	return threeWord.MatchString(literal) && !sql.MatchString(literal)
}

// helpTexts returns the tags of fields that --help and the OpenAPI document show.
func helpTexts(t *testing.T) (found []text) {
	everyFile(t, func(path string, files *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(node ast.Node) bool {
			field, ok := node.(*ast.Field)
			if !ok || field.Tag == nil {
				return true
			}
			tag, _ := strconv.Unquote(field.Tag.Value)
			for _, key := range []string{"help", "doc"} {
				if value := reflect.StructTag(tag).Get(key); value != "" {
					found = append(found, text{path + ":" + strconv.Itoa(files.Position(field.Pos()).Line), value})
				}
			}
			return true
		})
	})
	return found
}

// openAPITexts returns the summaries and descriptions of api/openapi.json.
func openAPITexts(t *testing.T) (found []text) {
	var document any
	if err := json.Unmarshal([]byte(read(t, "../api/openapi.json")), &document); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var walk func(place string, value any)
	walk = func(place string, value any) {
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				walk(place, item)
			}
		case map[string]any:
			for key, item := range value {
				words, isText := item.(string)
				if isText && (key == "summary" || key == "description") && !seen[words] {
					seen[words] = true
					found = append(found, text{"openapi.json" + place, words})
				}
				walk(place+"/"+key, item)
			}
		}
	}
	walk("", document)
	return found
}

// pageTexts returns the paragraphs, list items and table cells of the pages that a reader of the repository opens.
func pageTexts(t *testing.T) (found []text) {
	pages := []string{"../README.md", "../CONTRIBUTING.md", "../SECURITY.md"}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if unwritten[page] {
			continue
		}
		for _, part := range paragraphs(rewritten(page, prose(read(t, page)))) {
			found = append(found, text{page, part})
		}
	}
	return found
}

// rewritten leaves out the track record of docs/reliability.md, to which other work adds now.
func rewritten(page, text string) string {
	if page != "reliability.md" {
		return text
	}
	before, record, _ := strings.Cut(text, "\n## Track record")
	_, after, _ := strings.Cut(record, "\n## ")
	return before + "\n\n" + after
}

var (
	newParagraph = regexp.MustCompile(`\n\s*\n|\n\s*[-*] |\n\s*\d+\. |\n\s*> ?|\n#+ |\n\|`)
	newCell      = regexp.MustCompile(`\s\|\s?`)
)

// paragraphs splits a page where a reader does. In the cell of a table a semicolon ends an item of a list.
func paragraphs(page string) (found []string) {
	for _, part := range newParagraph.Split("\n"+page, -1) {
		cells := newCell.Split(inCode.ReplaceAllString(part, "X"), -1)
		for _, cell := range cells {
			if cell = strings.Join(strings.Fields(cell), " "); cell == "" {
				continue
			}
			if len(cells) > 1 {
				cell = strings.ReplaceAll(cell, "; ", ". ")
			}
			found = append(found, cell)
		}
	}
	return found
}

// everyFile parses the Go files of the product, without tests and the packages that help them (sqldbtest, feedtest).
func everyFile(t *testing.T, visit func(path string, files *token.FileSet, file *ast.File)) {
	for _, root := range []string{"../internal", "../cmd"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err == nil {
				visit(path, files, file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
