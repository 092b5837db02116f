"""Everyday sentences by the thousand, from templates: home talk, questions, requests, news, numbers."""

import random
import re
from collections.abc import Iterator

__all__ = ["sentences"]

_LISTS = {
    "who": "my mother|my brother|the neighbour|our teacher|the doctor|her husband|his daughter|the driver|a friend of mine|"
    "the old man|the young woman|everyone|nobody here|the children|my boss|the new manager|grandma|the cook|a stranger|"
    "the farmer|the nurse|your sister|the students|two policemen|the waiter|my uncle|the pilot|this guy|the whole family|Peter|"
    "Susan|Michael|Anna|David|Emma|George|Laura|Thomas|Kate|Daniel|Maria|Henry|Sophie|Robert|Julia",
    "did": "found|lost|bought|sold|broke|fixed|cleaned|painted|opened|closed|forgot|remembered|liked|hated|carried|moved|borrowed|"
    "hid|dropped|washed|wanted|needed|saw|photographed|described|burned|brought back|gave away|threw out|picked up",
    "do": "find|lose|buy|sell|break|fix|clean|paint|open|close|forget|remember|carry|move|borrow|hide|drop|wash|see|bring|show|"
    "check|collect|return|wrap|keep|choose|order|share|throw away|pick up|put back",
    "thing": "the red car|an old letter|a bag of apples|the blue box|the front door|a pair of shoes|the kitchen table|some fresh bread|"
    "the broken window|a cup of tea|the garden chair|my bicycle|the last ticket|a bottle of milk|the piano|three books|"
    "the big umbrella|a warm coat|the wrong key|that strange picture|the newspaper|a small boat|the camera|her glasses|"
    "the cheese sandwich|a bunch of flowers|his wallet|the television|a pack of cards|the washing machine|an empty bottle|"
    "the dishes|a silver ring|the fishing net|a wooden spoon|the lamp|two pillows|the map|a bowl of soup|the guitar",
    "where": "in the kitchen|at the station|on the roof|behind the school|near the river|in the city|at work|under the bed|"
    "beside the church|in the garden|on the bus|at the market|in the mountains|outside|upstairs|downtown|by the sea|"
    "at the airport|in the living room|across the street|in the garage|on the beach|at the library|in front of the bank|"
    "in London|in Chicago|in Australia|at the hospital|next door|in the forest",
    "when": "yesterday|this morning|last night|on Monday|two weeks ago|after lunch|before dinner|in the summer|on my birthday|"
    "at midnight|every weekend|last year|during the storm|at half past six|on Friday evening|a long time ago|in October|"
    "right after school|early today|just now|in nineteen ninety|at noon|on the way home|while it was raining",
    "then": "tomorrow|tonight|next week|on Sunday|this afternoon|in an hour|before you leave|after the game|next month|"
    "as soon as possible|when you have time|on Tuesday morning|at eight o'clock|later|in the spring|one day",
    "how": "very slowly|by accident|without a word|with great care|for no reason|in a hurry|quite happily|all alone|"
    "for the first time|once again|too late|at last|for twenty dollars|with both hands|as usual|in secret",
    "adj": "cold|tired|beautiful|expensive|quiet|strange|heavy|dangerous|easy|empty|famous|hungry|late|lovely|nervous|perfect|"
    "ready|serious|simple|terrible|warm|wonderful|young|busy|dirty|bright|difficult|fair|funny|cheap|wet|loud|soft",
    "subj": "the weather|the soup|this movie|the road|the exam|my room|the meeting|the music|that story|the water|the test|"
    "the garden|his answer|the house|this game|the train|the view|the party|your voice|the coffee|the hotel|the bill|"
    "the lecture|the film|her new job|the traffic|the bread|this chair",
    "num": "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|eighteen|twenty|twenty five|thirty|"
    "forty|fifty|sixty|seventy two|eighty|ninety nine|a hundred|three hundred|a thousand",
    "unit": "minutes|hours|days|weeks|miles|pounds|dollars|people|years|times|pages|points|degrees|metres|cats|eggs|cars|"
    "questions|letters|chairs",
    "body": "The government|The company|A local court|The city council|The president|The central bank|A group of scientists|"
    "The police|The union|The home team|A judge|The ministry of health|The university|The fire service|An airline|"
    "The school board|The army|A large hospital|The football club|The weather service",
    "said": "announced|rejected|approved|delayed|promised|discussed|cancelled|presented|defended|warned about|reported on|"
    "voted on|welcomed|published|criticised|postponed",
    "news": "a new plan for the railway|the rise in prices|the budget for next year|a record profit|changes to the law|"
    "the results of the study|plans for a bridge|heavy rain in the north|the strike at the harbour|a tax on sugar|"
    "the search for survivors|new rules for drivers|the sale of the factory|help for small farms|an early election|"
    "the trade agreement|cuts in public spending|a rescue in the mountains",
    "verb": "go swimming|watch a film|eat something|take a walk|play cards|call the office|catch the bus|visit my parents|read a book|"
    "learn to drive|bake a cake|paint the fence|feed the dog|write a letter|clean the house|do the shopping|ride a horse|"
    "go to bed|make some coffee|listen to the radio|wait for the rain to stop|work from home|plant some trees|"
    "pay the bills|sing a song|stay here|travel to Spain|mow the lawn|pack the suitcase|fix the roof",
}

_TEMPLATES = (
    "{who} {did} {thing} {where}|{who} {did} {thing} {when}|{who} {did} {thing} {how}|did {who} {do} {thing} {when}|"
    "why did {who} {do} {thing}|can you {do} {thing} {then}|please {do} {thing} {then}|where did you {do} {thing}|"
    "{subj} is {adj}|{subj} was too {adj} {when}|I think {subj} is {adj}|is {subj} still {adj}|{subj} is more {adj} than usual|"
    "I want to {verb} {then}|let's {verb} {then}|do you want to {verb}|we should {verb} {then}|I used to {verb} {when}|"
    "{who} would rather {verb}|don't forget to {verb}|how long does it take to {verb}|it took {num} {unit} to {verb}|"
    "there are {num} {unit} left|I counted {num} {unit} {where}|it costs {num} dollars to {verb}|{num} plus {num} makes {num}|"
    "we waited {num} {unit} {where}|the number is {num} {num} {num}|my flight leaves at {num} {num}|page {num} please|"
    "{body} {said} {news}|{body} {said} {news} {when}|{who} told me about {news}|have you heard about {news}|"
    "what happened {where} {when}|who {did} {thing}|nobody {did} {thing} {when}|I never {did} {thing}|"
    "if {subj} is {adj} we can {verb}|when {who} comes home we will {verb}|thank you for {thing}|"
    "{who} is {where}|{who} and {who} are {where}|{who} was {adj} and {adj}|look at {thing} {where}|"
    "there was {thing} {where}|I left {thing} {where}|have you seen {thing}|that is not {thing}|give me {thing} please|"
    "what a {adj} day it was|the {adj} one belongs to {who}|are you {adj} or just {adj}|turn left and then {verb}|"
    "I am sorry that {subj} was {adj}|maybe {who} can {do} {thing}|{who} says {subj} is {adj}"
).split("|")

_CHOICES = {name: text.split("|") for name, text in _LISTS.items()}
SHORTEST, LONGEST = 3, 12


def sentences(seed: int) -> Iterator[str]:
    """Yield sentences of 3 to 12 words without end, in a fixed order for a seed; there are millions, few come twice."""
    rng = random.Random(seed)
    while True:
        text = re.sub(r"\{(\w+)\}", lambda slot: rng.choice(_CHOICES[slot[1]]), rng.choice(_TEMPLATES))
        if SHORTEST <= len(text.split()) <= LONGEST:
            yield text[0].upper() + text[1:]
