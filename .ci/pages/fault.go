package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// fault is what is wrong with a page, and where: in which language, colours and width.
type fault struct {
	Page    string `json:"page"`
	Where   string `json:"-"`
	Rule    string `json:"rule"`
	Element string `json:"element"`
	Says    string `json:"says"`
}

// most is how many pages are named that have the same fault.
const most = 5

// report prints faults, the same on several pages once, with the pages and where on each.
func report(w io.Writer, faults []fault) {
	type key struct{ rule, element, says string }
	var keys []key
	pages, where := map[key][]string{}, map[key]map[string][]string{}
	for _, f := range faults {
		k := key{f.Rule, f.Element, f.Says}
		if where[k] == nil {
			keys, where[k] = append(keys, k), map[string][]string{}
		}
		if where[k][f.Page] == nil {
			pages[k] = append(pages[k], f.Page)
		}
		where[k][f.Page] = append(where[k][f.Page], f.Where)
	}
	slices.SortStableFunc(keys, func(a, b key) int { return strings.Compare(a.rule, b.rule) })
	for _, k := range keys {
		fmt.Fprintf(w, "%s: %s\n\t%s\n", k.rule, k.says, k.element)
		for i, p := range pages[k] {
			if i == most {
				fmt.Fprintf(w, "\tand on %d more pages\n", len(pages[k])-most)
				break
			}
			fmt.Fprintf(w, "\ton %s: %s\n", p, strings.Join(where[k][p], "; "))
		}
	}
}
