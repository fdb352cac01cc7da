// Package api is what the shop's services say to each other: the shapes, and
// the one way to call and to answer.
package api

import (
	"fmt"
	"hash/fnv"
)

// Plan is what a customer pays for.
type Plan string

// Region is where a customer is served and taxed.
type Region string

// The plans and regions there are.
const (
	Free       Plan = "free"
	Team       Plan = "team"
	Enterprise Plan = "enterprise"

	USEast  Region = "us-east"
	EUWest  Region = "eu-west"
	APSouth Region = "ap-south"
)

// Customer is somebody who shops.
type Customer struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Plan   Plan   `json:"plan"`
	Region Region `json:"region"`
}

// CustomerNumber n is always the same person, so that the storefront and the
// traffic know the same customers: half of them free, three in ten on a team
// plan; 40 % in the US, 40 % in Europe.
func CustomerNumber(n int) Customer {
	first := []string{"Ada", "Amara", "Chen", "Diego", "Elif", "Femi", "Grace", "Hana", "Ivan", "Jonas", "Kavya", "Lena", "Mateo", "Noor", "Olga", "Priya", "Ravi", "Sofia", "Tariq", "Yuki"}
	last := []string{"Adeyemi", "Becker", "Costa", "Dubois", "Eriksen", "Fischer", "Gupta", "Haddad", "Ito", "Jansen", "Kim", "Larsen", "Moreau", "Novak", "Okafor", "Park", "Rossi", "Silva", "Tanaka", "Weber"}
	h := fnv.New64a()
	fmt.Fprintf(h, "customer %d", n)
	x := h.Sum64()
	pick := func(of uint64) uint64 { v := x % of; x /= of; return v }
	c := Customer{ID: fmt.Sprintf("c%05d", n), Plan: Free, Region: USEast}
	switch p := pick(10); {
	case p >= 8:
		c.Plan = Enterprise
	case p >= 5:
		c.Plan = Team
	}
	switch r := pick(10); {
	case r >= 8:
		c.Region = APSouth
	case r >= 4:
		c.Region = EUWest
	}
	c.Name = first[pick(uint64(len(first)))] + " " + last[pick(uint64(len(last)))]
	return c
}

// Cents is an amount of US dollars.
type Cents int64

func (c Cents) String() string { return fmt.Sprintf("$%d.%02d", c/100, c%100) }

// Product is something to buy.
type Product struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Price    Cents  `json:"price"`
}

// Item is a product in a cart.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// Line is an item with the price it had when it was ordered.
type Line struct {
	Item
	Name  string `json:"name"`
	Price Cents  `json:"price"` // of one
}

// NewOrder asks checkout for an order.
type NewOrder struct {
	Customer Customer `json:"customer"`
	Items    []Item   `json:"items"`
}

// Order is a sale.
type Order struct {
	ID       string   `json:"id"`
	Customer Customer `json:"customer"`
	Lines    []Line   `json:"lines"`
	Net      Cents    `json:"net"`
	Tax      Cents    `json:"tax"`
	Total    Cents    `json:"total"`
	Status   string   `json:"status"` // placed, declined, or pending: to be charged when payments answers
}

// NewCharge asks payments for money.
type NewCharge struct {
	Order    string `json:"order"`
	Customer string `json:"customer"`
	Amount   Cents  `json:"amount"`
}

// Charge is a payment.
type Charge struct {
	ID     string `json:"id"`
	Order  string `json:"order"`
	Amount Cents  `json:"amount"`
	Status string `json:"status"` // paid, declined
}

// CustomerHeader says who is shopping.
const CustomerHeader = "X-Customer"
