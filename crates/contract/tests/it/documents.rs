//! Operations: paths, methods, access.

use contract::{Access, Contract};

use crate::support::{odd, sample, shop};

fn listed(contract: &Contract) -> Vec<String> {
    let line = |one: &contract::Operation| {
        let access = match one.access.as_ref().expect("access") {
            Access::Public => "public".to_owned(),
            Access::Scopes(sets) => {
                let sets: Vec<String> = sets.iter().map(|set| set.join("+")).collect();
                format!("[{}]", sets.join("|"))
            }
        };
        format!("{} {} {access}", one.method, one.path)
    };
    contract.operations().iter().map(line).collect()
}

#[test]
fn operations_have_the_paths_of_their_servers_and_their_alternatives() {
    let mut found = listed(&shop());
    found.sort();
    assert_eq!(
        found,
        [
            "DELETE /v1/orders/{order_id} [orders:read]",
            // A token without scopes is enough for one alternative, so it is for all.
            "GET /v1/health public",
            "GET /v1/orders [orders:read]",
            "GET /v1/orders/{order_id} []",
            "POST /v1/orders [orders:write|admin+staff]",
            "POST /v1/pictures [orders:read]",
        ]
    );
}

#[test]
fn a_prefix_stands_for_the_servers_and_silence_is_not_public() {
    let contract = Contract::read(&sample("shop/shop.yaml"), Some("/shop")).expect("good");
    assert!(contract.operations().iter().all(|one| one.path.starts_with("/shop/")));
    let found = listed(&odd());
    assert!(found.contains(&"GET /a%2Fb/{id} []".to_owned()), "{found:?}");
    assert!(found.contains(&"GET /search [read]".to_owned()), "{found:?}");
}
