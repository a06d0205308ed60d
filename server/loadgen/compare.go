package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
)

// compareWith starts the others, and lets all take turns.
func compareWith(ctx context.Context, target *subject, names, tokens []string, o options) (err error) {
	all := make([]*contestant, 0, len(names)+1)
	for _, name := range names {
		rival, err := start(name, tokens)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rival.stop()) }()
		rival.players = again(target.players)
		if err := showTurn("first: "+name, play(ctx, rival, turn{once: true})); err != nil {
			return err
		}
		all = append(all, &contestant{subject: rival})
	}
	all = append(all, &contestant{subject: target})
	return compare(ctx, all, o)
}

// contestant is a server and what it did in each round.
type contestant struct {
	*subject
	total figures
	rates []float64
}

// compare has all take their turns in every round, in an order that changes, so
// that a machine that slows down slows down all, and nobody always follows the same.
func compare(ctx context.Context, all []*contestant, o options) error {
	own := &subject{pid: os.Getpid()}
	own.resetUse()
	for _, c := range all {
		c.resetUse()
	}
	for round := range o.rounds {
		for _, i := range rand.Perm(len(all)) {
			f := play(ctx, all[i].subject, turn{duration: o.duration, rate: o.rate})
			if err := ctx.Err(); err != nil {
				return err
			}
			all[i].rates = append(all[i].rates, f.rate())
			all[i].total.add(f)
		}
		printRound(round+1, all)
	}
	printOwn(all, own)
	err := printTable(all)
	printRatios(all)
	all[len(all)-1].printUse()
	return err
}

func printRound(n int, all []*contestant) {
	parts := make([]string, len(all))
	for i, c := range all {
		parts[i] = fmt.Sprintf("%s %.0f/s", c.name, c.rates[n-1])
	}
	fmt.Printf("round %-6d %s\n", n, strings.Join(parts, ", "))
}

// printOwn prints what playing took of the processors that the servers share with it.
func printOwn(all []*contestant, own *subject) {
	used, requests := own.processor(), 0
	for _, c := range all {
		used -= c.processor() // which it started
		requests += len(c.total.times)
	}
	if used > 0 {
		fmt.Printf("%-12s %s of the same processors for each request\n", "loadgen", each(used.Seconds()*1e6, requests, "us"))
	}
}

// printTable prints all rounds together. Processors count from the first round to
// the end of the last: what a server puts off until others have their turn is its own, too.
func printTable(all []*contestant) (problems error) {
	fmt.Printf("\n%-12s %10s %10s %10s %10s %10s %7s   %s\n", "who", "requests/s", "p50", "p99", "CPU each", "disk each", "errors", "what it is")
	for _, c := range all {
		f := &c.total
		middle, high := f.quantiles(0.5, 0.99)
		fmt.Printf("%-12s %10.0f %10s %10s %10s %10s %7d   %s\n", c.name, f.rate(), middle, high,
			c.processorEach(len(f.times)), f.writtenEach(), f.errors, c.Words)
		problems = errors.Join(problems, f.problem())
	}
	return problems
}

// printRatios prints how our server, the last of all, did beside each of the others.
func printRatios(all []*contestant) {
	ours := all[len(all)-1]
	for _, c := range all[:len(all)-1] {
		ratios := make([]float64, len(c.rates))
		for i := range ratios {
			ratios[i] = ours.rates[i] / c.rates[i]
		}
		low, middle, high := spread(ratios)
		fmt.Printf("%-12s %.2f of %s (median of %d rounds; %.2f to %.2f)\n", "ratio", middle, c.name, len(ratios), low, high)
	}
}
