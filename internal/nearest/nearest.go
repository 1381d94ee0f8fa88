// Package nearest finds what a mistyped name probably meant.
package nearest

// Of returns the candidate with the smallest edit distance to the name, if it is near
// enough (a third of the name's length, at least 2) to be worth suggesting.
func Of(name string, candidates []string) (string, bool) {
	best, limit := "", max(2, len(name)/3)+1
	for _, c := range candidates {
		if d := distance(name, c); d < limit {
			best, limit = c, d
		}
	}
	return best, best != ""
}

// distance is Levenshtein's: insertions, deletions and substitutions of bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
