//! The remote registry over a network that the test holds in its hand: every request and every response is put where
//! the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::process::*;
use fencepost::registry::calls::{Answer, Call, Dispatch, Reply, Submit};
use fencepost::registry::remote::{
    RegistryServer, RemoteClient, RemoteOptions, RemoteRegistry, Request, Response, Seat, Transport,
    TransportError,
};
use fencepost::store::MemoryStore;
use fencepost::testing::block_on;
use fencepost::testing::conformance::Backend;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{ProcessRegistry, Registry, RegistryError};
use serde_json::json;

use crate::stage::{nothing, registration};

/// The network's treatment of one exchange.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fate {
    Delivers,
    LosesRequest,
    LosesResponse,
    /// The request arrives twice; the first copy's response comes back.
    Duplicates,
    Refuses,
    Delays(u64),
}

#[derive(Clone)]
struct Network(Arc<Wires>);

struct Wires {
    environment: HandEnvironment,
    server: Mutex<Arc<RegistryServer<Arc<dyn Submit>>>>,
    fates: Mutex<Vec<Fate>>,
    sent: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Network {
    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        self.0.sent.lock().unwrap().push(request.clone());
        let fate = {
            let mut fates = self.0.fates.lock().unwrap();
            if fates.is_empty() { Fate::Delivers } else { fates.remove(0) }
        };
        let server = Arc::clone(&self.0.server.lock().unwrap());
        let nothing = || TransportError("no response".into());
        match fate {
            Fate::Delivers => server.handle(request).await.ok_or_else(nothing),
            Fate::LosesRequest => std::future::pending().await,
            Fate::LosesResponse => {
                server.handle(request).await;
                std::future::pending().await
            }
            Fate::Duplicates => {
                let first = server.handle(request.clone()).await;
                server.handle(request).await;
                first.ok_or_else(nothing)
            }
            Fate::Refuses => Err(TransportError("connection refused".into())),
            Fate::Delays(delay_ms) => {
                self.0.environment.sleep(Duration::from_millis(delay_ms)).await;
                let server = Arc::clone(&self.0.server.lock().unwrap());
                server.handle(request).await.ok_or_else(nothing)
            }
        }
    }
}

struct World {
    environment: HandEnvironment,
    store: Arc<dyn ProcessRegistry>,
    network: Network,
    client: RemoteRegistry<Network>,
}

fn server(
    store: &Arc<dyn ProcessRegistry>,
    environment: &HandEnvironment,
) -> Arc<RegistryServer<Arc<dyn Submit>>> {
    let submit: Arc<dyn Submit> = Arc::new(Dispatch(Arc::clone(store)));
    Arc::new(RegistryServer::new(submit, environment))
}

impl World {
    fn new() -> Self {
        let environment = HandEnvironment::at_epoch_ms(1_000_000);
        let store: Arc<dyn ProcessRegistry> =
            Arc::new(Registry::new(MemoryStore::new(), Arc::new(environment.clone())).inline());
        let network = Network(Arc::new(Wires {
            environment: environment.clone(),
            server: Mutex::new(server(&store, &environment)),
            fates: Mutex::default(),
            sent: Mutex::default(),
        }));
        let client =
            RemoteClient::new(network.clone(), Arc::new(environment.clone()), RemoteOptions::default())
                .registry();
        Self { environment, store, network, client }
    }

    fn fates(&self, fates: &[Fate]) {
        *self.network.0.fates.lock().unwrap() = fates.to_vec();
    }

    fn restart_server(&self) {
        *self.network.0.server.lock().unwrap() = server(&self.store, &self.environment);
    }

    fn server(&self) -> Arc<RegistryServer<Arc<dyn Submit>>> {
        Arc::clone(&self.network.0.server.lock().unwrap())
    }

    fn register(&self, id: &str) -> Result<ProcessRecord, RegistryError> {
        let registration = registration(id, RecoveryDisposition::Rerunnable, nothing());
        self.environment.run(self.client.register_process(registration)).expect("a call ends")
    }

    fn signal(&self, id: &str) -> Result<u64, RegistryError> {
        let request = ProcessEventAppendRequest::new("signal.go", json!(1));
        let appended = self.environment.run(self.client.append_event(id, request)).expect("a call ends");
        appended.map(|appended| appended.event.sequence)
    }

    fn signals(&self, id: &str) -> u64 {
        block_on(self.store.count_events_through(id, "signal.go", u64::MAX)).unwrap()
    }
}

#[test]
fn a_call_is_applied_once_whatever_the_network_does_to_its_copies() {
    use Fate::*;
    let worlds: [&[Fate]; 8] = [
        &[Delivers],
        &[LosesRequest, Delivers],
        &[LosesResponse, Delivers],
        &[LosesResponse, LosesRequest, LosesResponse, Delivers],
        &[Duplicates],
        &[Refuses, Refuses, Delivers],
        &[Delays(1_200), LosesResponse, LosesResponse],
        &[Delays(700), Delays(300), LosesRequest],
    ];
    for fates in worlds {
        let world = World::new();
        world.register("p").unwrap();
        world.fates(fates);
        assert_eq!(world.signal("p"), Ok(1), "{fates:?}");
        assert_eq!(world.signals("p"), 1, "{fates:?}");
    }
}

#[test]
fn a_call_without_an_answer_is_unknown_after_its_deadline_and_not_before() {
    for (fate, signals) in [(Fate::LosesRequest, 0), (Fate::LosesResponse, 1)] {
        let world = World::new();
        world.register("p").unwrap();
        world.fates(&[fate; 100]);
        let before = world.environment.monotonic();
        assert!(world.signal("p").is_err_and(|error| error.outcome_is_unknown()));
        assert_eq!(world.environment.monotonic() - before, Duration::from_secs(5));
        assert_eq!(world.signals("p"), signals);
    }
}

#[test]
fn a_server_that_was_never_reached_changed_nothing_and_that_is_known() {
    let world = World::new();
    world.fates(&[Fate::LosesRequest; 100]);
    assert!(matches!(world.register("p"), Err(RegistryError::Backend { .. })));
}

#[test]
fn a_request_first_sent_to_an_earlier_server_life_is_never_applied() {
    let world = World::new();
    world.register("p").unwrap();
    world.fates(&[Fate::Delays(400)]);
    let (client, environment) = (&world.client, world.environment.clone());
    let request = ProcessEventAppendRequest::new("signal.go", json!(1));
    let mut call = client.append_event("p", request);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(call.as_mut().poll(&mut task).is_pending());
    world.restart_server();
    let answer = environment.run(call).expect("it ends");
    assert!(answer.is_err_and(|error| error.outcome_is_unknown()));
    assert_eq!(world.signals("p"), 0);
    assert_eq!(world.signal("p"), Ok(1), "a later call is a new request to the new life");
}

#[test]
fn the_same_number_with_other_content_is_an_invalid_argument() {
    let world = World::new();
    world.register("p").unwrap();
    let Some(Response::Welcome { seat }) =
        block_on(world.server().handle(Request::Hello { client_life: "c".into() }))
    else {
        panic!("a hello is welcomed");
    };
    let submit = |number, call: Call| {
        let request = Request::Submit {
            seat: seat.clone(),
            client_life: "c".into(),
            number,
            lowest_awaited: 1,
            call: Arc::new(call),
        };
        match block_on(world.server().handle(request)) {
            Some(Response::Answer { answer, .. }) => answer.map(|reply| *reply),
            other => panic!("a submitted call is answered: {other:?}"),
        }
    };
    let read = |id: &str| Call::ReadProcess { process_id: id.into() };
    assert!(matches!(submit(1, read("p")), Ok(Reply::MaybeRecord(Some(_)))));
    assert!(matches!(submit(1, read("q")), Err(RegistryError::InvalidArgument { .. })));
    assert!(submit(1, read("p")).is_ok(), "the first one stands");
}

#[test]
fn below_the_lowest_awaited_number_the_server_forgets_and_drops() {
    let world = World::new();
    world.register("p").unwrap();
    for _ in 0..100 {
        world.signal("p").unwrap();
    }
    assert_eq!(world.server().remembered_calls(), 1, "a client with one call at a time is remembered by one");
    let old = world.network.0.sent.lock().unwrap()[10].clone();
    assert_eq!(block_on(world.server().handle(old)), None);
    assert_eq!(world.signals("p"), 100);
}

#[test]
fn a_duplicate_waits_for_the_first_copy() {
    let world = World::new();
    world.register("p").unwrap();
    let environment = world.environment.clone();
    /// Takes a second for each call.
    struct Slow(Arc<dyn ProcessRegistry>, HandEnvironment);
    #[async_trait]
    impl Submit for Slow {
        async fn submit(&self, call: Arc<Call>) -> Answer {
            self.1.sleep(Duration::from_secs(1)).await;
            fencepost::registry::calls::dispatch(self.0.as_ref(), &call).await
        }
        fn durability_tier(&self) -> DurabilityTier {
            DurabilityTier::Inline
        }
    }
    let slow: Arc<dyn Submit> = Arc::new(Slow(Arc::clone(&world.store), environment.clone()));
    *world.network.0.server.lock().unwrap() = Arc::new(RegistryServer::new(slow, &environment));
    drop(world.signal("p"));
    let before = world.signals("p");
    assert_eq!(world.signal("p").map(|_| ()), Ok(()), "resent twice while the first copy was at work");
    assert_eq!(world.signals("p"), before + 1);
}

#[test]
fn a_first_copy_that_was_interrupted_is_unknown_to_its_duplicates() {
    let world = World::new();
    let hangs: Arc<dyn Submit> = Arc::new(Hangs);
    let server = RegistryServer::new(hangs, &world.environment);
    let Some(Response::Welcome { seat }) =
        block_on(server.handle(Request::Hello { client_life: "c".into() }))
    else {
        panic!("a hello is welcomed");
    };
    let request = Request::Submit {
        seat,
        client_life: "c".into(),
        number: 1,
        lowest_awaited: 1,
        call: Arc::new(Call::AckWake { process_id: "p".into(), sequence: 1 }),
    };
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    {
        let mut first = Box::pin(server.handle(request.clone()));
        assert!(first.as_mut().poll(&mut task).is_pending());
    }
    match block_on(server.handle(request)) {
        Some(Response::Answer { answer, .. }) => {
            assert!(answer.is_err_and(|error| error.outcome_is_unknown()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_answers_of_reads_are_not_kept() {
    let world = World::new();
    world.register("p").unwrap();
    let Some(Response::Welcome { seat }) =
        block_on(world.server().handle(Request::Hello { client_life: "c".into() }))
    else {
        panic!("a hello is welcomed");
    };
    let read = || Request::Submit {
        seat: seat.clone(),
        client_life: "c".into(),
        number: 1,
        lowest_awaited: 1,
        call: Arc::new(Call::CountEventsThrough {
            process_id: "p".into(),
            event_type: "signal.go".into(),
            up_to_sequence: u64::MAX,
        }),
    };
    let count = || match block_on(world.server().handle(read())) {
        Some(Response::Answer { answer, .. }) => answer.map(|reply| *reply),
        other => panic!("{other:?}"),
    };
    assert_eq!(count(), Ok(Reply::Count(0)));
    world.signal("p").unwrap();
    assert_eq!(count(), Ok(Reply::Count(1)), "a read's duplicate is asked anew");
}

#[test]
fn a_client_refuses_a_call_too_far_above_one_that_has_no_answer() {
    let world = World::new();
    world.register("p").unwrap();
    world.fates(&[Fate::LosesRequest; 1]);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    let mut stuck = Box::pin(world.client.list_non_terminal());
    assert!(stuck.as_mut().poll(&mut task).is_pending());
    let answers: Vec<_> = (0..4_096).map(|_| world.signal("p")).collect();
    let refused = answers.iter().position(Result::is_err).expect("the window has an end");
    assert!(refused > 4_000 && matches!(answers[refused], Err(RegistryError::Backend { .. })));
    assert_eq!(world.signals("p"), refused as u64, "what was refused was not applied");
    drop(stuck);
    assert!(world.signal("p").is_ok());
}

struct Hangs;

#[async_trait]
impl Submit for Hangs {
    async fn submit(&self, _: Arc<Call>) -> Answer {
        std::future::pending().await
    }
    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

#[test]
fn a_client_that_was_given_up_takes_a_new_seat_and_its_old_requests_are_not_applied() {
    let world = World::new();
    world.register("p").unwrap();
    let old_seat = match world.network.0.sent.lock().unwrap().last().cloned() {
        Some(Request::Submit { seat, .. }) => seat,
        other => panic!("{other:?}"),
    };
    for number in 0..1_100 {
        let hello = Request::Hello { client_life: format!("other-{number}").into() };
        block_on(world.server().handle(hello));
    }
    assert!(world.signal("p").is_err_and(|error| error.outcome_is_unknown()), "its seat is gone");
    assert_eq!(world.signal("p"), Ok(1));
    let new_seat = match world.network.0.sent.lock().unwrap().last().cloned() {
        Some(Request::Submit { seat, .. }) => seat,
        other => panic!("{other:?}"),
    };
    assert_ne!(old_seat, new_seat);
    assert_ne!(new_seat, Seat { number: old_seat.number, ..new_seat.clone() });
}

/// The whole contract holds over the network too.
struct Remote;

struct Driven {
    client: RemoteRegistry<Network>,
}

#[async_trait]
impl Submit for Driven {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        fencepost::registry::calls::dispatch(&self.client, &call).await
    }
    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

impl Backend for Remote {
    fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry> {
        let store: Arc<dyn ProcessRegistry> =
            Arc::new(Registry::new(MemoryStore::new(), Arc::new(environment.clone())).inline());
        let network = Network(Arc::new(Wires {
            environment: environment.clone(),
            server: Mutex::new(server(&store, environment)),
            fates: Mutex::default(),
            sent: Mutex::default(),
        }));
        let client =
            RemoteClient::new(network, Arc::new(environment.clone()), RemoteOptions::default()).registry();
        Arc::new(fencepost::registry::calls::Facade(Driven { client }))
    }
}

mod conformance {
    fencepost::conformance_tests!(super::Remote);
}
